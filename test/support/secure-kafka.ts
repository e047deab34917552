import { generateKeyPairSync, pbkdf2Sync, randomBytes, sign } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type KafkaCluster, type KafkaListener, startKafka } from '../../deploy/local/kafka.ts';
import { Connections } from '../../src/kafka/connections.ts';
import type { Api } from '../../src/kafka/protocol/api.ts';
import type { Certificate, CertificateAuthority } from './certificate.ts';
import { kafkaSettings } from './kafka-settings.ts';
import { type OwnService, startOwnService } from './own-service.ts';

export const KAFKA_USER = { username: 'cdc', password: 'päss, =word' } as const;
/** How long a session of the listener `SASL_TLS` lasts. */
export const SESSION_MS = 2_000;
const ITERATIONS = 4_096;

/** A broker whose listeners are named for what they ask for, and who vouches for it. */
export interface SecureKafka extends OwnService<KafkaCluster> {
  /** `host:port` of a listener. */
  at(listener: string): string;
  /** A bearer token that the broker accepts for so long. */
  token(validMs: number): string;
}

/** What a user may do; as `kafka-acls` has it, with the codes of the protocol. */
export interface KafkaGrant {
  readonly resource: 'topic' | 'transactional-id';
  readonly name: string;
  readonly isPrefix: boolean;
  readonly operations: readonly string[];
}

/**
 * One broker. `TLS`, `ELSEWHERE` (a certificate for another name), `EXPIRED` and `MUTUAL` (asks for a client certificate) have
 * no authentication; `SASL` has no TLS; `SASL_TLS` has both. Whoever comes by the listener without both may do everything.
 * @param grants what the user may do, and no more; null: everything.
 */
export async function startSecureKafka(
  authority: CertificateAuthority,
  grants: readonly KafkaGrant[] | null = null,
): Promise<SecureKafka> {
  const issuer = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const own = await startOwnService(({ runDirectory, ...context }) => {
    const write = (name: string, content: string): string => {
      const path = join(runDirectory, name);
      writeFileSync(path, content);
      return path;
    };
    const trusted = write('authority.pem', authority.cert);
    const jwk = { ...issuer.publicKey.export({ format: 'jwk' }), kid: 'k', use: 'sig', alg: 'ES256' };
    const keys = pathToFileURL(write('keys.json', JSON.stringify({ keys: [jwk] }))).href;
    const tls = (name: string, { cert, key }: Certificate): Record<string, string> => ({
      'ssl.keystore.type': 'PEM',
      'ssl.keystore.location': write(`${name}.pem`, key + cert),
      'ssl.truststore.type': 'PEM',
      'ssl.truststore.location': trusted,
    });
    const right = authority.server('localhost', '127.0.0.1');
    const listeners: KafkaListener[] = [
      { name: 'TLS', protocol: 'SSL', settings: tls('tls', right) },
      { name: 'ELSEWHERE', protocol: 'SSL', settings: tls('elsewhere', authority.server('broker.example')) },
      { name: 'EXPIRED', protocol: 'SSL', settings: tls('expired', authority.expired('127.0.0.1')) },
      { name: 'MUTUAL', protocol: 'SSL', settings: { ...tls('mutual', right), 'ssl.client.auth': 'required' } },
      { name: 'SASL', protocol: 'SASL_PLAINTEXT', settings: sasl(0) },
      { name: 'SASL_TLS', protocol: 'SASL_SSL', settings: { ...tls('sasl', right), ...sasl(SESSION_MS) } },
    ];
    return startKafka(
      {
        brokers: 1,
        listeners,
        settings: { 'sasl.oauthbearer.jwks.endpoint.url': keys, ...(grants === null ? {} : AUTHORIZER) },
        javaOptions: [`-Dorg.apache.kafka.sasl.oauthbearer.allowed.urls=${keys}`],
      },
      { runDirectory, ...context },
    );
  });
  try {
    await prepare(own.service.url, grants ?? []);
  } catch (error) {
    await own[Symbol.asyncDispose]();
    throw error;
  }
  return {
    ...own,
    at: (listener) => own.service.listeners.get(listener)![0]!,
    token(validMs) {
      const now = Date.now();
      const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
      const claims = {
        sub: 'cdc',
        scope: 'kafka',
        iat: Math.floor(now / 1000),
        exp: Math.ceil((now + validMs) / 1000),
      };
      const signed = `${part({ alg: 'ES256', kid: 'k', typ: 'JWT' })}.${part(claims)}`;
      const key = { key: issuer.privateKey, dsaEncoding: 'ieee-p1363' } as const;
      return `${signed}.${sign('sha256', Buffer.from(signed), key).toString('base64url')}`;
    },
  };
}

const AUTHORIZER = {
  'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
  'super.users': 'User:ANONYMOUS',
};

function sasl(sessionMs: number): Record<string, string> {
  const modules = 'org.apache.kafka.common.security';
  const { username, password } = KAFKA_USER;
  const scram = `${modules}.scram.ScramLoginModule required;`;
  const mechanisms: Readonly<Record<string, string>> = {
    plain: `${modules}.plain.PlainLoginModule required user_${username}="${escaped(password)}";`,
    'scram-sha-256': scram,
    'scram-sha-512': scram,
    oauthbearer: `${modules}.oauthbearer.OAuthBearerLoginModule required;`,
  };
  return {
    'sasl.enabled.mechanisms': Object.keys(mechanisms).join(',').toUpperCase(),
    'oauthbearer.sasl.server.callback.handler.class': `${modules}.oauthbearer.OAuthBearerValidatorCallbackHandler`,
    ...Object.fromEntries(
      Object.entries(mechanisms).flatMap(([mechanism, module]) => [
        [`${mechanism}.sasl.jaas.config`, module],
        [`${mechanism}.connections.max.reauth.ms`, String(sessionMs)],
      ]),
    ),
  };
}

/** A properties file is Latin-1. */
function escaped(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

interface ScramUser {
  /** 1: SHA-256, 2: SHA-512. */
  readonly mechanism: 1 | 2;
  readonly salt: Buffer;
  readonly saltedPassword: Buffer;
}

const alterUserScramCredentials: Api<ScramUser, readonly number[]> = {
  name: 'AlterUserScramCredentials',
  key: 51,
  minVersion: 0,
  maxVersion: 0,
  flexible: true,
  encode(out, user) {
    out.array([], () => {});
    out.array([user], ({ mechanism, salt, saltedPassword }) => {
      out.string(KAFKA_USER.username);
      out.int8(mechanism);
      out.int32(ITERATIONS);
      out.bytes(salt);
      out.bytes(saltedPassword);
      out.noTags();
    });
    out.noTags();
  },
  decode(input) {
    input.int32();
    return input.array(() => {
      input.nullableString();
      const code = input.int16();
      input.nullableString();
      input.tags();
      return code;
    });
  },
};

/** Codes of ResourceType and AclOperation: https://kafka.apache.org/protocol, and Kafka's enums of these names. */
const RESOURCES = { topic: 2, 'transactional-id': 5 } as const;
const OPERATIONS = ['Unknown', 'Any', 'All', 'Read', 'Write', 'Create', 'Delete', 'Alter', 'Describe', 'ClusterAction'];
const MORE_OPERATIONS = ['DescribeConfigs', 'AlterConfigs', 'IdempotentWrite'];

const createAcls: Api<readonly KafkaGrant[], readonly number[]> = {
  name: 'CreateAcls',
  key: 30,
  minVersion: 2,
  maxVersion: 2,
  flexible: true,
  encode(out, grants) {
    const each = grants.flatMap(({ operations, ...grant }) => operations.map((operation) => ({ ...grant, operation })));
    out.array(each, ({ resource, name, isPrefix, operation }) => {
      out.int8(RESOURCES[resource]);
      out.string(name);
      out.int8(isPrefix ? 4 : 3);
      out.string(`User:${KAFKA_USER.username}`);
      out.string('*');
      out.int8([...OPERATIONS, ...MORE_OPERATIONS].indexOf(operation));
      out.int8(3); // allow
      out.noTags();
    });
    out.noTags();
  },
  decode(input) {
    input.int32();
    return input.array(() => {
      const code = input.int16();
      input.nullableString();
      input.tags();
      return code;
    });
  },
};

async function prepare(broker: string, grants: readonly KafkaGrant[]): Promise<void> {
  const { signal } = new AbortController();
  await using connections = new Connections(kafkaSettings({ brokers: [broker] }), 'test');
  const connection = await connections.any(signal);
  const codes: number[] = [];
  // A request must not name a user twice.
  for (const mechanism of [1, 2] as const) {
    const salt = randomBytes(16);
    const [hash, size] = mechanism === 1 ? (['sha256', 32] as const) : (['sha512', 64] as const);
    const saltedPassword = pbkdf2Sync(KAFKA_USER.password, salt, ITERATIONS, size, hash);
    codes.push(...(await connection.request(alterUserScramCredentials, { mechanism, salt, saltedPassword })));
  }
  codes.push(...(await connection.request(createAcls, grants)));
  if (codes.some((code) => code !== 0)) throw new Error(`the broker refused to make the user: ${codes}`);
}
