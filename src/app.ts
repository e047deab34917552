/** What the commands ask of the daemon; each is loaded when it is asked for. The type is `Application` of `src/cli`. */
import type { Application } from './cli/application.ts';

export const runDaemon: Application['runDaemon'] = async (settings, options, streams) =>
  (await import('./app/run-daemon.ts')).runDaemon(settings, options, streams);

export const checkAll: Application['checkAll'] = async (settings, options) =>
  (await import('./app/check-all.ts')).checkAll(settings, options);

export const showCheckpoint: Application['showCheckpoint'] = async (settings, sourceName) =>
  (await import('./app/show-checkpoint.ts')).showCheckpoint(settings, sourceName);

export const setCheckpoint: Application['setCheckpoint'] = async (settings, sourceName, position) =>
  (await import('./app/set-checkpoint.ts')).setCheckpoint(settings, sourceName, position);

export const exportCheckpoint: Application['exportCheckpoint'] = async (settings, sourceName) =>
  (await import('./app/transfer-checkpoint.ts')).exportCheckpoint(settings, sourceName);

export const importCheckpoint: Application['importCheckpoint'] = async (settings, sourceName, text, origin) =>
  (await import('./app/transfer-checkpoint.ts')).importCheckpoint(settings, sourceName, text, origin);

export const teardown: Application['teardown'] = async (settings, sourceName) =>
  (await import('./app/teardown.ts')).teardown(settings, sourceName);

export const tailDatabase: Application['tailDatabase'] = async (url, options, emit) =>
  (await import('./app/tail-database.ts')).tailDatabase(url, options, emit);

export const tailTopic: Application['tailTopic'] = async (settings, topic, options, emit) =>
  (await import('./app/tail-topic.ts')).tailTopic(settings, topic, options, emit);

export const verifySource: Application['verifySource'] = async (settings, sourceName, options) =>
  (await import('./app/verify-source.ts')).verifySource(settings, sourceName, options);
