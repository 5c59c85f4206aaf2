/** Entry of the workers of a plugin that uses more than the core of the SDK: it is there before the world is taken away. */
import "../../plugins/sdk.ts";
import "./worker.ts";
