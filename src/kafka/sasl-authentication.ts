import { ConfigurationError, TransientError } from '../core/errors.ts';
import type { SaslSettings } from '../core/settings.ts';
import { isRetriable, kafkaErrorName } from './error-codes.ts';
import type { Api } from './protocol/api.ts';
import { saslAuthenticate, saslHandshake } from './protocol/sasl.ts';
import { ScramClient } from './scram.ts';

interface Requester {
  readonly address: string;
  request<Q, R>(api: Api<Q, R>, request: Q): Promise<R>;
}

/**
 * Authenticates a fresh connection.
 * @returns how long the broker accepts the session, milliseconds; 0 for ever.
 * @throws ConfigurationError where the broker refuses mechanism or credentials.
 */
export async function authenticate(connection: Requester, sasl: SaslSettings): Promise<number> {
  const mechanism = sasl.mechanism.toUpperCase();
  const handshake = await connection.request(saslHandshake, { mechanism });
  if (handshake.errorCode !== 0) {
    const offered = handshake.mechanisms;
    const what = offered.length === 0 ? 'no SASL at all' : `only ${offered.join(', ')}`;
    throw refused(
      handshake.errorCode,
      `broker ${connection.address} does not offer SASL ${mechanism}: ${what}`,
      offered.length === 0
        ? 'Remove kafka.sasl, or name a listener with SASL.'
        : 'Set kafka.sasl.mechanism to one that the listener offers.',
    );
  }
  const remedy =
    sasl.mechanism === 'oauthbearer'
      ? 'Give kafka.sasl.token a token that is valid and that the broker trusts.'
      : 'Correct kafka.sasl or the user on the broker.';
  const exchange = async (bytes: Buffer): Promise<{ bytes: Buffer; sessionLifetimeMs: number }> => {
    const answer = await connection.request(saslAuthenticate, { bytes });
    if (answer.errorCode === 0) return answer;
    throw refused(
      answer.errorCode,
      `broker ${connection.address} refused SASL ${mechanism}: ${answer.errorMessage ?? ''}`,
      remedy,
    );
  };
  switch (sasl.mechanism) {
    case 'plain':
      return (await exchange(Buffer.from(`\0${sasl.username}\0${sasl.password.reveal()}`))).sessionLifetimeMs;
    case 'oauthbearer': {
      const answer = await exchange(Buffer.from(`n,,\x01auth=Bearer ${sasl.token.reveal()}\x01\x01`));
      // A refused token is answered with its reason; the error itself comes after an empty reply (RFC 7628, 3.2.3).
      if (answer.bytes.length > 0) await exchange(Buffer.from([1]));
      return answer.sessionLifetimeMs;
    }
    default: {
      const client = new ScramClient(sasl.mechanism, sasl.username, sasl.password.reveal());
      const serverFirst = await exchange(client.first());
      const serverFinal = await exchange(await client.final(serverFirst.bytes));
      if (!client.verifies(serverFinal.bytes)) {
        throw new ConfigurationError(`broker ${connection.address} could not prove that it knows the password`, {
          code: 'KAFKA_SASL_SERVER_UNPROVEN',
          remedy: 'Make sure that the address is the right broker: it may be an impostor.',
        });
      }
      return serverFinal.sessionLifetimeMs;
    }
  }
}

function refused(code: number, message: string, remedy: string): ConfigurationError | TransientError {
  const context = { code: `KAFKA_${kafkaErrorName(code)}`, remedy };
  return isRetriable(code) ? new TransientError(message, context) : new ConfigurationError(message, context);
}
