/** Entry of the workers of a plugin that uses more than the core of the SDK: it is there before the world is taken away. */
import * as sdk from "../../plugins/sdk.ts";
import { knowNames } from "./sdk_names.ts";
import "./worker.ts";

knowNames(Object.keys(sdk));
