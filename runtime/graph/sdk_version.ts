/** Version of the SDK: a new major breaks plugins, a new minor adds to what they may use. */
export const SDK_VERSION = "1.2.0";
