/** DBL_DIG: numbers with more digits in front of the point, or as many zeros behind it, are printed with an exponent. */
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
  if (point > MOST_PLAIN_DIGITS || point <= -MOST_PLAIN_DIGITS) {
    return `${sign}${digits[0]}${digits.length > 1 ? `.${digits.slice(1)}` : ''}e${exponent}`;
  }
  if (point <= 0) return `${sign}0.${'0'.repeat(-point)}${digits}`;
  if (digits.length <= point) return `${sign}${digits.padEnd(point, '0')}.0`;
  return `${sign}${digits.slice(0, point)}.${digits.slice(point)}`;
}
