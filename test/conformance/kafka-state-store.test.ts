import { deleteKafkaTopics } from '../support/kafka-topics.ts';
import { uniqueName } from '../support/unique-name.ts';
import { describeStateStore } from './state-store.ts';

describeStateStore('kafka', {
  module: new URL('./stores/kafka-state-store.ts', import.meta.url),
  async createLocation() {
    const location = uniqueName('checkpoints');
    return { location, remove: () => deleteKafkaTopics(location) };
  },
  secondOpen: 'fences',
  kills: 3,
});
