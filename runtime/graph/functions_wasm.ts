/// <reference types="../solver/core/portable.d.ts" />
/**
 * Twin of `functions.ts`: imports, which the host fills with its Math. Engines know these and call them directly, with no
 * way through JavaScript. Only `asc` compiles this file.
 */
export declare function log(x: f64): f64;
export declare function log10(x: f64): f64;
export declare function sin(x: f64): f64;
export declare function cos(x: f64): f64;
export declare function tan(x: f64): f64;
export declare function pow(x: f64, y: f64): f64;
