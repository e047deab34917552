import { createHash } from 'node:crypto';
import type { Clock } from '../core/clock.ts';
import { ConfigurationError } from '../core/errors.ts';
import { IncompatibleSchemaError } from '../core/incompatible-schema-error.ts';
import type { KnownSchemaIds } from '../core/known-schema-ids.ts';
import type { Logger } from '../core/logger.ts';
import { RegistryRefusal, RegistryUnreachableError } from './registry-errors.ts';
import { describeDifference } from './schema-difference.ts';
import type { SchemaRegistry } from './schema-registry.ts';

const FIRST_BACKOFF_MS = 200;
const MAX_BACKOFF_MS = 30_000;
/** After the registry was found unreachable, ids known from an earlier run are not checked again for this long. */
const TRUST_MS = 30_000;
const RESTORE_DEADLINE_MS = 15_000;

/** Why a source waits: a schema whose id nobody knows, and a registry that does not answer. */
export interface RegistryWait {
  readonly subject: string;
  readonly attempts: number;
  readonly error: RegistryUnreachableError;
}

export interface SchemaIdsDependencies {
  readonly registry: SchemaRegistry;
  readonly knownIds: KnownSchemaIds;
  readonly logger: Logger;
  readonly clock: Clock;
  /** Called with every failed attempt of a wait, and with null when the registry answers again. */
  readonly onRegistryWait?: (wait: RegistryWait | null) => void;
}

/**
 * Gives schemas their ids: from memory, from an earlier run, or from the registry, where a schema is registered only
 * after the registry said that it may follow the subject's latest version. A registry that holds the schema already is
 * not written to.
 */
export class SchemaIds {
  readonly #registry: SchemaRegistry;
  readonly #knownIds: KnownSchemaIds;
  readonly #logger: Logger;
  readonly #clock: Clock;
  readonly #onWait: (wait: RegistryWait | null) => void;
  readonly #ids = new Map<string, number>();
  #trustUntilMs = 0;

  constructor({ registry, knownIds, logger, clock, onRegistryWait }: SchemaIdsDependencies) {
    this.#registry = registry;
    this.#knownIds = knownIds;
    this.#logger = logger;
    this.#clock = clock;
    this.#onWait = onRegistryWait ?? (() => {});
  }

  /**
   * Waits while the registry is unreachable and the id unknown.
   * @throws IncompatibleSchemaError where the registry does not take the schema, by policy.
   * @throws ConfigurationError where it refuses the request.
   */
  async idOf(subject: string, schema: string, signal: AbortSignal): Promise<number> {
    const key = this.#key(subject, schema);
    const remembered = this.#ids.get(key);
    if (remembered !== undefined) return remembered;
    const known = this.#knownIds.get(key);
    const id =
      (known === undefined ? null : await this.#confirm(known, subject, schema, signal)) ??
      (await this.#retried(subject, signal, () => this.#obtain(subject, schema, signal)));
    if (id !== known) this.#knownIds.set(key, id);
    this.#ids.set(key, id);
    return id;
  }

  /** An id is one registry's: another set of URLs is taken for another registry, and asked. */
  #key(subject: string, schema: string): string {
    const registry = [...this.#registry.settings.urls].sort().join('\n');
    return createHash('sha256').update(`${registry}\0${subject}\0${schema}`).digest('hex');
  }

  /**
   * Asks once whether a known id still holds: a registry that lost its data must not get records with ids that mean
   * nothing there. No answer is no reason to wait. Null: the registry does not have the schema.
   */
  async #confirm(known: number, subject: string, schema: string, signal: AbortSignal): Promise<number | null> {
    if (this.#clock.nowMs() < this.#trustUntilMs) return known;
    try {
      const id = await this.#registry.lookUp(subject, schema, signal);
      if (id !== known)
        this.#logger.warn({ subject, known, found: id }, 'the registry no longer has a known schema id');
      return id;
    } catch (error) {
      // Also one that TLS keeps from us: its certificate may have ended while we were down.
      const isUnreachable = error instanceof RegistryUnreachableError || error instanceof ConfigurationError;
      if (isUnreachable) this.#trustUntilMs = this.#clock.nowMs() + TRUST_MS;
      else if (!(error instanceof RegistryRefusal)) throw error;
      this.#logger.warn({ subject, id: known, reason: error.message }, 'schema id taken from the last run unconfirmed');
      return known;
    }
  }

  async #obtain(subject: string, schema: string, signal: AbortSignal): Promise<number> {
    try {
      const existing = await this.#registry.lookUp(subject, schema, signal);
      if (existing !== null) return existing;
      const { compatible, reasons } = await this.#registry.checkCompatibility(subject, schema, signal);
      if (!compatible) return await this.#incompatible(subject, schema, reasons, signal);
      const id = await this.#registry.register(subject, schema, signal);
      this.#logger.info({ subject, id }, 'schema registered');
      return id;
    } catch (error) {
      if (!(error instanceof RegistryRefusal)) throw error;
      // A level that looks further back than the latest version refuses only now.
      if (error.isIncompatible) return await this.#incompatible(subject, schema, [error.message], signal);
      throw refused(subject, error);
    }
  }

  async #incompatible(
    subject: string,
    schema: string,
    reasons: readonly string[],
    signal: AbortSignal,
  ): Promise<number> {
    const policy = this.#registry.settings.onIncompatible;
    if (policy === 'register_anyway') return await this.#registerAnyway(subject, schema, reasons, signal);
    const differences = await this.#differences(subject, schema, signal);
    const why = [...differences, ...reasons].join(' · ') || 'it gives no reason';
    throw new IncompatibleSchemaError(
      `The registry does not accept the new schema of subject ${subject}: ${why}.`,
      subject,
      policy,
      {
        code: 'SCHEMA_INCOMPATIBLE',
        remedy:
          'Make the change of the table compatible (a new column nullable or with a default), relax the compatibility ' +
          `level of ${subject}, or set \`schema_registry.on_incompatible\`.`,
      },
    );
  }

  /** In words that an operator knows the table by. No answer is no reason to keep back the refusal. */
  async #differences(subject: string, schema: string, signal: AbortSignal): Promise<readonly string[]> {
    try {
      const latest = await this.#registry.latestSchema(subject, signal);
      return latest === null ? [] : describeDifference(latest, schema);
    } catch (error) {
      if (error instanceof RegistryRefusal || error instanceof RegistryUnreachableError) return [];
      throw error;
    }
  }

  /** There is no registering past a level: the subject's is NONE for this one request, and then as it was. */
  async #registerAnyway(
    subject: string,
    schema: string,
    reasons: readonly string[],
    signal: AbortSignal,
  ): Promise<number> {
    const registry = this.#registry;
    const level = await registry.subjectCompatibility(subject, signal);
    this.#logger.warn({ subject, level, reasons }, 'registering an incompatible schema under compatibility NONE');
    try {
      await registry.setSubjectCompatibility(subject, 'NONE', signal);
      return await registry.register(subject, schema, signal);
    } finally {
      await this.#restoreLevel(subject, level);
    }
  }

  /** Not under the caller's signal: a stop must not leave the subject unprotected. */
  async #restoreLevel(subject: string, level: string | null): Promise<void> {
    const deadline = AbortSignal.timeout(RESTORE_DEADLINE_MS);
    for (let attempts = 1; ; attempts++) {
      try {
        await this.#registry.setSubjectCompatibility(subject, level, deadline);
        return;
      } catch (error) {
        if (error instanceof RegistryUnreachableError && !deadline.aborted) {
          await this.#clock.sleep(backoffMs(attempts), deadline).catch(() => deadline.reason);
          if (!deadline.aborted) continue;
        }
        throw new ConfigurationError(`Subject ${subject} is left with compatibility level NONE.`, {
          code: 'SCHEMA_LEVEL_NOT_RESTORED',
          remedy:
            level === null
              ? `Delete the compatibility level of subject ${subject} in the registry, then resume the source.`
              : `Set the compatibility level of subject ${subject} to ${level} in the registry, then resume the source.`,
          cause: error,
        });
      }
    }
  }

  async #retried(subject: string, signal: AbortSignal, attempt: () => Promise<number>): Promise<number> {
    for (let attempts = 1; ; attempts++) {
      try {
        const id = await attempt();
        if (attempts > 1) {
          this.#onWait(null);
          this.#logger.info({ subject, attempts }, 'the schema registry answers again');
        }
        return id;
      } catch (error) {
        if (!(error instanceof RegistryUnreachableError)) {
          if (attempts > 1) this.#onWait(null);
          throw error;
        }
        this.#onWait({ subject, attempts, error });
        if (attempts === 1) this.#logger.warn({ subject, reason: error.message }, 'waiting for the schema registry');
        await this.#clock.sleep(backoffMs(attempts), signal);
      }
    }
  }
}

/** Full jitter, so that many sources do not come back at once. */
function backoffMs(attempts: number): number {
  return Math.random() * Math.min(MAX_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** Math.min(attempts, 16));
}

function refused(subject: string, refusal: RegistryRefusal): ConfigurationError {
  const { status, errorCode } = refusal;
  return new ConfigurationError(
    `The schema registry refuses subject ${subject} (HTTP ${status}, error ${errorCode}): ${refusal.message}`,
    { code: 'REGISTRY_REFUSED', remedy: remedyFor(refusal, subject), cause: refusal },
  );
}

function remedyFor({ status }: RegistryRefusal, subject: string): string {
  if (status === 401) return 'Correct `schema_registry.auth`.';
  if (status === 403) return `Let the registry user read and write subject ${subject}.`;
  if (status === 404) return 'Correct the path in `schema_registry.url`: there is no schema registry at it.';
  if (status === 422) {
    return (
      'Most often a name is not legal in Avro: set `schema_name_adjustment` and `field_name_adjustment` to `avro`; ' +
      'a schema or table whose name begins with a digit has to be renamed or excluded.'
    );
  }
  return 'See the registry’s log for the reason.';
}
