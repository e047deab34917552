import type { RegistryRefusal } from '../avro/registry-errors.ts';
import { ConfigurationError } from '../core/errors.ts';
import type { RegistrySettings } from '../core/settings.ts';

/** A registry that answers no, as an operator understands it. */
export function explainRefusal({ status, message }: RegistryRefusal, settings: RegistrySettings): ConfigurationError {
  const problem = `the schema registry refuses (HTTP ${status}: ${message})`;
  if (status === 401 || status === 403) {
    const given = settings.auth.kind === 'none' ? 'none is set' : `${settings.auth.kind} is set`;
    return new ConfigurationError(problem, {
      code: 'REGISTRY_AUTHORIZATION',
      remedy: `Correct schema_registry.auth (${given}), and let that user read and register subjects.`,
    });
  }
  if (status === 404 || status < 300) {
    return new ConfigurationError(problem, {
      code: 'REGISTRY_URL',
      remedy:
        'Correct schema_registry.url: it must lead to the Confluent API (at Apicurio …/apis/ccompat/v7), without /subjects.',
    });
  }
  return new ConfigurationError(problem, {
    code: 'REGISTRY_REFUSED',
    remedy: "Look at the registry's log; check schema_registry.url and what stands between.",
  });
}
