/**
 * What AssemblyScript has built in and TypeScript has not, so that the same files pass both compilers. The shared files
 * use the types alone; pointers and vectors occur in the twins that only `asc` compiles.
 */
declare type i32 = number;
declare type u32 = number;
declare type f64 = number;
declare type usize = number;
/** Where the data of a typed array begin in the module's memory. */
interface Float64Array {
  readonly dataStart: usize;
}
interface Int32Array {
  readonly dataStart: usize;
}
interface Uint32Array {
  readonly dataStart: usize;
}
