/** Nine digits of a DECIMAL lie in four bytes; fewer, at the outer ends of the number, in fewer. */
export const DIGITS_PER_WORD = 9;

/** Bytes that 0 to 9 digits take. */
export const DIGIT_BYTES = [0, 1, 1, 2, 2, 3, 3, 4, 4, 4] as const;

/** Bytes that these many digits take on one side of the point. */
export function bytesOf(digits: number): number {
  return Math.floor(digits / DIGITS_PER_WORD) * 4 + (DIGIT_BYTES[digits % DIGITS_PER_WORD] as number);
}

/** Digits of the words that these many digits before the point take, in their order. */
export function wholeWords(digits: number): number[] {
  return fractionWords(digits).reverse();
}

/** As before, of digits behind the point: the short word is the last. */
export function fractionWords(digits: number): number[] {
  const rest = digits % DIGITS_PER_WORD;
  const full = Array.from({ length: (digits - rest) / DIGITS_PER_WORD }, () => DIGITS_PER_WORD);
  return rest === 0 ? full : [...full, rest];
}
