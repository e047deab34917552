import { z } from 'zod';
import { isLoopback } from '../core/loopback.ts';
import { Secret } from '../core/secret.ts';
import type { HttpSettings, HttpToken } from '../core/settings.ts';
import { choice, fileContents, integer, list, refuse, secret, text } from './fields.ts';

const tokenSchema = z
  .strictObject({
    name: text({ kind: 'a name' }).meta({ description: 'Who holds the token; written to the audit log.' }),
    role: choice(['read', 'operate']).meta({ description: '`read` may look, `operate` may do everything.' }),
    token_sha256: secret('the SHA-256 of the token in hexadecimal').meta({
      description: 'SHA-256 of the token in hexadecimal: `printf %s "$TOKEN" | sha256sum`.',
    }),
  })
  .transform(({ name, role, token_sha256: sha256 }, ctx): HttpToken => {
    if (!/^[0-9a-f]{64}$/i.test(sha256.reveal())) {
      const remedy = 'Set it to what `printf %s "$TOKEN" | sha256sum` prints, 64 digits.';
      return refuse(ctx, 'is not a SHA-256 in hexadecimal', remedy, ['token_sha256']);
    }
    return { name, role, sha256 };
  });

const tlsSchema = z
  .strictObject({
    cert_file: fileContents().meta({ description: 'PEM file of the certificate and its chain.' }),
    key_file: fileContents().meta({ description: 'PEM file of its private key.' }),
  })
  .transform(({ cert_file: cert, key_file: key }): HttpSettings['tls'] => ({ cert, key: new Secret(key) }));

export const httpSchema = z
  .strictObject({
    host: text({ kind: 'an address or host name to listen on', pattern: /^[^\s/]+$/ })
      .prefault('127.0.0.1')
      .meta({
        description: 'Address to listen on. Another one than the loopback needs `tokens`.',
      }),
    port: integer({ min: 0, max: 65_535 }).prefault(8080).meta({ description: 'Port; 0 takes a free one.' }),
    tls: tlsSchema.optional().meta({ description: 'HTTPS instead of HTTP.' }),
    tokens: list(tokenSchema).optional().meta({
      description:
        'Who may use the API. Without tokens everybody on this machine may. `/livez`, `/readyz` and `/metrics` need none.',
    }),
  })
  .transform((http, ctx): HttpSettings => {
    const { host, port, tls = null, tokens = [] } = http;
    const names = tokens.map(({ name }) => name);
    for (const [index, name] of names.entries()) {
      if (names.indexOf(name) < index) {
        refuse(ctx, 'is the name of another token', 'Give each token a name of its own.', ['tokens', index, 'name']);
      }
    }
    if (tokens.length === 0 && !isLoopback(host)) {
      const remedy = 'Add http.tokens, so that not everybody can pause or resync sources, or set it to 127.0.0.1.';
      return refuse(ctx, 'can be reached from other machines, and there are no tokens', remedy, ['host']);
    }
    return { host, port, tls, tokens };
  });
