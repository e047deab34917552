"""Reads topics with confluent-kafka and decodes them with fastavro: nothing of this is tailrace's.

argv: brokers, registry URL, topics. Prints one JSON object a line: {topic, key, value}. What JSON lacks is written as
text: bytes as Postgres' hex, decimals in full, floats as Python shows them; geometries have their coordinates beside them.
"""

import decimal
import io
import json
import struct
import sys
import urllib.request

from confluent_kafka import OFFSET_BEGINNING, Consumer, TopicPartition
from fastavro import parse_schema, schemaless_reader
from fastavro.read import LOGICAL_READERS

# Python's dates end in 9999 and its times before 24:00: these stay numbers.
for logical in ("int-date", "int-time-millis", "long-timestamp-millis"):
    LOGICAL_READERS[logical] = lambda number, writer_schema=None, reader_schema=None: number
decimal.getcontext().prec = 5000


def schema_of(registry, schema_id, known={}):
    if schema_id not in known:
        with urllib.request.urlopen(f"{registry}/schemas/ids/{schema_id}", timeout=30) as answer:
            known[schema_id] = parse_schema(json.loads(json.load(answer)["schema"]))
    return known[schema_id]


def decoded(registry, message):
    if message is None:
        return None
    magic, schema_id = struct.unpack(">bi", message[:5])
    assert magic == 0, "not the Confluent wire format"
    rest = io.BytesIO(message[5:])
    value = schemaless_reader(rest, schema_of(registry, schema_id))
    assert rest.read() == b"", "bytes are left over behind the value"
    return plain(value)


def wkb_coordinates(wkb):
    """Coordinates of a point, line string or polygon in well-known binary."""
    order = "<" if wkb[0] == 1 else ">"
    (kind,) = struct.unpack_from(order + "I", wkb, 1)
    at = 5
    if kind == 1:
        return [struct.unpack_from(order + "dd", wkb, at)]
    if kind == 3:
        (rings,) = struct.unpack_from(order + "I", wkb, at)
        assert rings == 1
        at += 4
    (count,) = struct.unpack_from(order + "I", wkb, at)
    points = [struct.unpack_from(order + "dd", wkb, at + 4 + 16 * i) for i in range(count)]
    if kind == 3:
        assert points[0] == points[-1], "the ring is not closed"
        points.pop()
    return points


def plain(value):
    if isinstance(value, dict):
        if set(value) == {"scale", "value"}:
            return format(decimal.Decimal(int.from_bytes(value["value"], "big", signed=True)).scaleb(-value["scale"]), "f")
        result = {name: plain(each) for name, each in value.items()}
        if isinstance(value.get("wkb"), bytes):
            result["coordinates"] = ",".join(f"({x!r},{y!r})" for x, y in wkb_coordinates(value["wkb"]))
        return result
    if isinstance(value, list):
        return [plain(each) for each in value]
    if isinstance(value, (bytes, bytearray)):
        return "\\x" + value.hex()
    if isinstance(value, decimal.Decimal):
        return format(value, "f")
    if isinstance(value, float):
        return repr(value)
    assert value is None or isinstance(value, (bool, int, str)), f"fastavro made a {type(value)}"
    return value


def main(brokers, registry, *topics):
    consumer = Consumer({"bootstrap.servers": brokers, "group.id": "not-used", "enable.auto.commit": False})
    remaining = {}
    for topic in topics:
        for partition in consumer.list_topics(topic, 30).topics[topic].partitions:
            low, high = consumer.get_watermark_offsets(TopicPartition(topic, partition), 30)
            if high > low:
                remaining[(topic, partition)] = high
    consumer.assign([TopicPartition(topic, partition, OFFSET_BEGINNING) for topic, partition in remaining])
    while remaining:
        message = consumer.poll(30)
        if message is None:
            raise TimeoutError(f"no message for 30 s, still waiting for {remaining}")
        if message.error():
            raise RuntimeError(message.error())
        record = {
            "topic": message.topic(),
            "key": decoded(registry, message.key()),
            "value": decoded(registry, message.value()),
        }
        print(json.dumps(record))
        place = (message.topic(), message.partition())
        if message.offset() + 1 >= remaining.get(place, 0):
            remaining.pop(place, None)
    consumer.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
