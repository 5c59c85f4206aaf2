/** What a plugin calls itself. */

/** model, function and constraint compute a skill's outputs; an optimizer searches; a composition puts skills in an order. */
export const PLUGIN_KINDS = ["function", "model", "constraint", "composition", "optimizer"] as const;
export type PluginKind = (typeof PLUGIN_KINDS)[number];

/** "publisher/name", at most 100 characters. */
export const PLUGIN_NAME = /^[A-Za-z0-9][A-Za-z0-9._/-]{0,99}$/;
/** A semantic version such as "1.0.0". */
export const PLUGIN_VERSION = /^\d+\.\d+\.\d+(-[0-9A-Za-z.-]{1,50})?$/;
