import type { UrlForm } from '../../src/core/connection-url.ts';
import { TLS_MODES } from '../../src/core/database-connection.ts';

/** https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING-URIS */
export const POSTGRES_URL: UrlForm = {
  schemes: ['postgres:', 'postgresql:'],
  example: 'postgres://user:password@host:5432/database',
  tlsFiles: { sslrootcert: 'ca_file', sslcert: 'cert_file', sslkey: 'key_file' },
  tlsModeParameter: 'sslmode',
  // The modes have libpq's words.
  tlsMode: (word) => TLS_MODES.find((mode) => mode === word),
};
