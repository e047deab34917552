import type { NotificationEncoder, RecordEncoder } from '../core/encoder.ts';
import type { Logger } from '../core/logger.ts';
import type { Notification } from '../core/notification.ts';
import type { Sink, SinkTopic } from '../core/sink.ts';
import type { Ticket } from '../core/ticket.ts';

/** Publishes notifications to their topic. */
export class NotificationPublisher {
  readonly #encoder: RecordEncoder;
  readonly #notifications: NotificationEncoder;
  readonly #topic: SinkTopic;
  readonly #logger: Logger;

  private constructor(encoder: RecordEncoder, notifications: NotificationEncoder, topic: SinkTopic, logger: Logger) {
    this.#encoder = encoder;
    this.#notifications = notifications;
    this.#topic = topic;
    this.#logger = logger;
  }

  /** Resolves once the schemas have ids and the topic exists. */
  static async prepare(
    topic: string,
    { encoder, sink, logger }: { readonly encoder: RecordEncoder; readonly sink: Sink; readonly logger: Logger },
    signal: AbortSignal,
  ): Promise<NotificationPublisher> {
    const notifications = await encoder.prepareNotification(topic, signal);
    return new NotificationPublisher(encoder, notifications, await sink.topic(topic, signal), logger);
  }

  /** What is too large for the topic is left out, and said: a list of very many tables. */
  publish(notification: Notification, timestampMs: number, ticket: Ticket): void {
    const { output } = this.#encoder;
    output.reset();
    this.#notifications.writeKey(notification.id);
    const keyEnd = output.length;
    this.#notifications.writeValue(notification, timestampMs);
    const isSent = this.#topic.append(
      {
        bytes: output.bytes,
        keyStart: 0,
        keyEnd,
        valueStart: keyEnd,
        valueEnd: output.length,
        headers: [],
        timestampMs,
        partition: -1,
      },
      ticket,
    );
    const bytes = output.length;
    output.reset();
    if (isSent) return;
    const { type, aggregateType } = notification;
    this.#logger.warn({ type, aggregateType, bytes }, 'a notification is larger than its topic takes and was left out');
  }
}
