import { z } from 'zod';
import { Secret } from '../core/secret.ts';
import type { TlsSettings } from '../core/settings.ts';
import { tlsFileProblems } from '../core/tls-files.ts';
import { fileContents, flag, refuse } from './fields.ts';

/** TLS towards Kafka or the schema registry. A section that is present is on unless it says `enabled: false`. */
export const tlsSchema = z
  .strictObject({
    enabled: flag().prefault(true).meta({ description: 'Whether connections use TLS.' }),
    ca_file: fileContents()
      .optional()
      .meta({ description: 'PEM file of the certificate authorities to trust instead of the system’s.' }),
    cert_file: fileContents().optional().meta({ description: 'PEM file of the client certificate.' }),
    key_file: fileContents().optional().meta({ description: 'PEM file of the private key of `cert_file`.' }),
    verify_hostname: flag()
      .prefault(true)
      .meta({ description: 'Whether the name in the server’s certificate must be the one connected to.' }),
  })
  .transform((tls, ctx): TlsSettings | null => {
    if ((tls.cert_file === undefined) !== (tls.key_file === undefined)) {
      const [present, missing] = tls.cert_file === undefined ? ['key_file', 'cert_file'] : ['cert_file', 'key_file'];
      return refuse(ctx, `is set without ${missing}`, `Set ${missing} too, or remove ${present}.`, [present]);
    }
    if (!tls.enabled) return null;
    for (const { setting, message, remedy } of tlsFileProblems(tls)) refuse(ctx, message, remedy, [setting]);
    return {
      ca: tls.ca_file ?? null,
      cert: tls.cert_file ?? null,
      key: tls.key_file === undefined ? null : new Secret(tls.key_file),
      verifyHostname: tls.verify_hostname,
    };
  });
