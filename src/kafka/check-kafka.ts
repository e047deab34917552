import type { Clock } from '../core/clock.ts';
import type { Finding } from '../core/connector.ts';
import type { KafkaSettings } from '../core/settings.ts';
import { Connections } from './connections.ts';
import { TopicAdmin } from './topic-admin.ts';

/** Whether the cluster answers with these settings, and whether every topic rule can be carried out there. */
export async function checkKafka(settings: KafkaSettings, clock: Clock, signal: AbortSignal): Promise<Finding[]> {
  await using connections = new Connections(settings, 'tailrace-check');
  const { brokers } = await new TopicAdmin(settings, connections, clock, 'check').metadata([], signal);
  const findings: Finding[] = [{ check: 'connection', severity: 'ok', problem: '', remedy: '' }];
  for (const rule of settings.topics) {
    if (rule.replicationFactor <= brokers.length) continue;
    findings.push({
      check: 'topic rule',
      severity: 'error',
      problem: `the rule for ${rule.match.source} wants ${rule.replicationFactor} replicas; the cluster has ${brokers.length} brokers`,
      remedy: 'Lower replication_factor, or use -1 for the default of the brokers.',
    });
  }
  return findings;
}
