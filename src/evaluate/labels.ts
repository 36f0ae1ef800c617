// Fields of label files become numbers, strictly. Nothing about files, lines or sets.

const DECIMAL = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;
const INTEGER = /^[+-]?\d+$/;

/** A finite decimal number with any blanks around it, or undefined. Number() alone would take '' for 0 and '0x1' for 1. */
export function numberOf(field: string): number | undefined {
  const text = field.trim();
  const value = Number(text);
  return DECIMAL.test(text) && Number.isFinite(value) ? value : undefined;
}

/** A whole number that a double holds exactly, with any blanks around it, or undefined. */
export function integerOf(field: string): number | undefined {
  const text = field.trim();
  const value = Number(text);
  return INTEGER.test(text) && Number.isSafeInteger(value) ? value : undefined;
}
