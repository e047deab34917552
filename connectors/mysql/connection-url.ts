import type { UrlForm } from '../../src/core/connection-url.ts';
import type { TlsMode } from '../../src/core/database-connection.ts';

/** https://dev.mysql.com/doc/refman/9.4/en/connection-options.html#option_general_ssl-mode */
const SSL_MODES: ReadonlyMap<string, TlsMode> = new Map([
  ['disabled', 'disable'],
  ['preferred', 'prefer'],
  ['required', 'require'],
  ['verify_ca', 'verify-ca'],
  ['verify_identity', 'verify-full'],
]);

/** `mysql://user:password@host:3306?ssl-mode=required`, with the options of the server's own clients. */
export const MYSQL_URL: UrlForm = {
  schemes: ['mysql:', 'mariadb:'],
  example: 'mysql://user:password@host:3306',
  tlsFiles: { 'ssl-ca': 'ca_file', 'ssl-cert': 'cert_file', 'ssl-key': 'key_file' },
  tlsModeParameter: 'ssl-mode',
  tlsMode: (word) => SSL_MODES.get(word.toLowerCase()),
};
