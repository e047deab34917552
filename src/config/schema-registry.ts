import { z } from 'zod';
import type { RegistrySettings } from '../core/settings.ts';
import { choice, duration, list, refuse, secret, text } from './fields.ts';
import { tlsSchema } from './tls.ts';

const URL_KIND = 'an http:// or https:// URL without user and password';

/** Credentials belong into `auth`: a URL is printed in logs. */
const registryUrl = text({ kind: URL_KIND }).superRefine((value, ctx) => {
  const url = URL.parse(value);
  if (url === null || !/^https?:$/.test(url.protocol)) {
    refuse(ctx, 'has a value that does not fit', 'Set it to a URL such as http://127.0.0.1:8081.');
  } else if (url.username !== '' || url.password !== '') {
    refuse(ctx, 'holds a user or a password', 'Move them to schema_registry.auth.');
  }
});

const authSchema = z
  .strictObject({
    username: text().optional().meta({ description: 'For basic authentication.' }),
    password: secret().optional().meta({ description: 'For basic authentication.' }),
    bearer: secret().optional().meta({ description: 'A bearer token, instead of `username` and `password`.' }),
  })
  .transform((auth, ctx): RegistrySettings['auth'] => {
    const { username, password, bearer } = auth;
    if (bearer !== undefined) {
      if (username !== undefined) refuse(ctx, 'contradicts bearer', 'Remove one of the two.', ['username']);
      if (password !== undefined) refuse(ctx, 'contradicts bearer', 'Remove one of the two.', ['password']);
      return { kind: 'bearer', token: bearer };
    }
    if (username === undefined) refuse(ctx, 'is required', 'Set username and password, or bearer.', ['username']);
    if (password === undefined) refuse(ctx, 'is required', 'Set username and password, or bearer.', ['password']);
    return username === undefined || password === undefined ? z.NEVER : { kind: 'basic', username, password };
  });

export const schemaRegistrySchema = z
  .strictObject({
    url: list(registryUrl, { min: 1 }).meta({
      description:
        'Address of the registry, or a list of them for failover. Includes a path such as `/apis/ccompat/v7` where the registry has one.',
    }),
    auth: authSchema.optional().meta({ description: 'Authentication; none when missing.' }),
    tls: tlsSchema.optional().meta({ description: 'Certificates for https:// addresses.' }),
    request_timeout: duration({ minMs: 100, maxMs: 600_000, kind: 'from 100ms to 10m' }).prefault('10s').meta({
      description: 'How long one request may take.',
    }),
    on_incompatible: choice(['fail', 'dead_letter', 'register_anyway']).prefault('fail').meta({
      description:
        'What to do about a schema that the registry calls incompatible: stop the source before its first change, write its changes to the dead letter topic, or register it with compatibility NONE.',
    }),
    subject_naming: choice(['topic_name', 'record_name', 'topic_record_name']).prefault('topic_name').meta({
      description: 'Confluent’s subject name strategy.',
    }),
  })
  .transform((registry, ctx): RegistrySettings => {
    if (registry.tls && !registry.url.some((url) => url.startsWith('https:'))) {
      refuse(ctx, 'is set although no url is https://', 'Write https:// in url, or remove tls.', ['tls']);
    }
    return {
      urls: registry.url.map((url) => url.replace(/\/+$/, '')),
      auth: registry.auth ?? { kind: 'none' },
      tls: registry.tls ?? null,
      requestTimeoutMs: registry.request_timeout,
      onIncompatible: registry.on_incompatible,
      subjectNaming: registry.subject_naming,
    };
  });
