/** DBL_DIG: whole numbers with more digits, and fractions with as many zeros behind the point, are printed with an exponent. */
const MOST_PLAIN_DIGITS = 15;

/** A double as the server prints it in JSON: the shortest text that gives it back, always with a point or an exponent. */
export function doubleText(value: number): string {
  if (Object.is(value, -0)) return '-0.0';
  const [mantissa = '', exponentText = '0'] = Math.abs(value).toExponential().split('e');
  const digits = mantissa.replace('.', '');
  const exponent = Number(exponentText);
  const sign = value < 0 ? '-' : '';
  /** Digits in front of the point. */
  const point = exponent + 1;
  const isWhole = digits.length <= point;
  if ((isWhole && point > MOST_PLAIN_DIGITS) || point <= -MOST_PLAIN_DIGITS) {
    return `${sign}${digits[0]}${digits.length > 1 ? `.${digits.slice(1)}` : ''}e${exponent}`;
  }
  if (point <= 0) return `${sign}0.${'0'.repeat(-point)}${digits}`;
  if (isWhole) return `${sign}${digits.padEnd(point, '0')}.0`;
  return `${sign}${digits.slice(0, point)}.${digits.slice(point)}`;
}
