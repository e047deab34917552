import { z } from 'zod';
import type { HttpSettings } from '../core/settings.ts';
import { integer, notBuilt, text } from './fields.ts';

/** Everything served is read-only in this version, so an address off the loopback needs no token. */
export const httpSchema = z
  .strictObject({
    host: text({ kind: 'an address or host name to listen on', pattern: /^[^\s/]+$/ })
      .prefault('127.0.0.1')
      .meta({
        description: 'Address to listen on.',
      }),
    port: integer({ min: 0, max: 65_535 }).prefault(8080).meta({ description: 'Port; 0 takes a free one.' }),
    tls: notBuilt('TLS of the HTTP port is'),
    tokens: notBuilt('tokens of the HTTP port are'),
  })
  .transform((http): HttpSettings => ({ host: http.host, port: http.port }));
