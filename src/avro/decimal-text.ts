/** A decimal number's text with exactly `scale` fraction digits, laid out as Java's `BigDecimal.toString` does. */
export function decimalText(ascii: string, scale: number): string {
  const negative = ascii.startsWith('-');
  const [whole = '', fraction = ''] = (negative ? ascii.slice(1) : ascii).split('.');
  const digits = `${whole}${fraction.slice(0, scale).padEnd(scale, '0')}`.replace(/^0+(?=\d)/, '');
  const sign = negative && /[1-9]/.test(digits) ? '-' : '';
  const exponent = digits.length - 1 - scale;
  if (exponent < -6) return `${sign}${digits[0]}${digits.length > 1 ? `.${digits.slice(1)}` : ''}E${exponent}`;
  if (scale === 0) return `${sign}${digits}`;
  const padded = digits.padStart(scale + 1, '0');
  return `${sign}${padded.slice(0, -scale)}.${padded.slice(-scale)}`;
}

/** The number whose unscaled value this is, with all of its `scale` fraction digits. */
export function scaledText(unscaled: number, scale: number): string {
  const digits = String(Math.abs(unscaled)).padStart(scale + 1, '0');
  const sign = unscaled < 0 ? '-' : '';
  return scale === 0 ? `${sign}${digits}` : `${sign}${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
}
