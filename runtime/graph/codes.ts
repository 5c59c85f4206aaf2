/**
 * The numbers of the operations in a tape. They are part of its format: changing one means a new version. Named one by one,
 * because `asc` reads this file too.
 */
export const CONSTANT = 0;
export const PARAMETER = 1;
export const VARIABLE = 2;
export const OPAQUE = 3;
export const NEG = 10;
export const EXP = 11;
export const LOG = 12;
export const LOG10 = 13;
export const SQRT = 14;
export const SIN = 15;
export const COS = 16;
export const TAN = 17;
export const TANH = 18;
export const ERF = 19;
export const SIGMOID = 20;
export const GELU = 21;
export const ABS = 22;
export const FLOOR = 23;
export const CEIL = 24;
export const ROUND = 25;
export const NOT = 26;
export const SOFTPLUS = 27;
export const ADD = 40;
export const SUB = 41;
export const MUL = 42;
export const DIV = 43;
export const POW = 44;
export const MOD = 45;
export const FLOORDIV = 46;
export const MIN = 47;
export const MAX = 48;
export const LT = 49;
export const LE = 50;
export const EQ = 51;
export const AND = 52;
export const OR = 53;
export const SELECT = 60;
export const LINEAR = 61;
export const CONCAT = 62;
export const SLICE = 63;
export const SUM = 64;
export const TREES = 65;

/** Words of an instruction: operation, first result slot, length, then three arguments with stride (0 or 1), and one more. */
export const WIDTH = 10;
