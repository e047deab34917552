/** Whether an address or host name means this machine alone; `[::1]` as in URLs and `::1` alike. */
export function isLoopback(host: string): boolean {
  return /^(localhost|\[?::1\]?|(\[?::ffff:)?127(\.\d{1,3}){3}\]?)$/i.test(host);
}
