import { connectorRegistry } from '../connector-registry.ts';
import type { ConnectorConfig, SourceConnector } from '../core/connector.ts';
import { ConfigurationError } from '../core/errors.ts';
import type { SourceSettings } from '../core/settings.ts';

/** A connector with the configuration that it parsed. Positions are the connector's own business. */
export interface ConfiguredConnector {
  readonly connector: SourceConnector<ConnectorConfig, unknown>;
  readonly config: ConnectorConfig;
}

export async function loadConnector(settings: SourceSettings): Promise<ConfiguredConnector> {
  const load = connectorRegistry[settings.type as keyof typeof connectorRegistry];
  // Each connector has types of its own for configuration and position; the pipeline passes both through unseen.
  const connector = (await load()) as unknown as SourceConnector<ConnectorConfig, unknown>;
  const parsed = connector.parseConfig(settings);
  if (parsed.ok) return { connector, config: parsed.value };
  const problems = parsed.problems.map(({ path, message }) => `${path}: ${message}`).join('; ');
  throw new ConfigurationError(`the settings of source ${settings.name} are not valid: ${problems}`, {
    code: 'SOURCE_SETTINGS_INVALID',
    remedy: 'Correct them; `tailrace config check` shows each with its line.',
    source: settings.name,
  });
}
