import type { RegistrySettings } from '../core/settings.ts';

/**
 * The questions that a producer of schemas asks. Every call can fail with RegistryUnreachableError (no answer) or
 * RegistryRefusal (the answer is no).
 */
export interface SchemaRegistry {
  readonly settings: RegistrySettings;
  /** The id of exactly this schema under the subject, in whichever version; null where it is not registered. */
  lookUp(subject: string, schema: string, signal: AbortSignal): Promise<number | null>;
  /** Whether the schema may follow the subject's latest version; a subject without versions takes any. */
  checkCompatibility(subject: string, schema: string, signal: AbortSignal): Promise<CompatibilityAnswer>;
  /** Text of the subject's latest version; null where it has none. */
  latestSchema(subject: string, signal: AbortSignal): Promise<string | null>;
  /** Registers the schema as a new version, unless the subject has it. Gives its id either way. */
  register(subject: string, schema: string, signal: AbortSignal): Promise<number>;
  /** The subject's own compatibility level; null where it follows the registry's. */
  subjectCompatibility(subject: string, signal: AbortSignal): Promise<string | null>;
  /** Null makes the subject follow the registry's level again. */
  setSubjectCompatibility(subject: string, level: string | null, signal: AbortSignal): Promise<void>;
}

export interface CompatibilityAnswer {
  readonly compatible: boolean;
  /** What the registry says about it; empty where it gives no reasons. */
  readonly reasons: readonly string[];
}
