// MessagePack to and from values, by @msgpack/msgpack. It is loaded only where a payload is MessagePack.
import { decode, ExtData, type ExtensionCodecType, encode } from '@msgpack/msgpack';
import { PayloadFault } from './fault.ts';
import { checkMessagePack } from './msgpack-scan.ts';
import { Entries, Special, type Value } from './values.ts';

/** Extensions stay what they are, timestamps too. */
const EXTENSIONS: ExtensionCodecType<undefined> = {
  tryToEncode: () => null,
  decode: (data, type) => new ExtData(type, data),
};

/** Stands in front of keys that are strings, so that one of them is no special name to the library. */
const MARK = '=';

/** The value of a payload. Throws PayloadFault. */
export function fromMessagePack(payload: Buffer): Value {
  checkMessagePack(payload);
  const keys: unknown[] = [];
  return neutral(decoded(payload, keys), keys);
}

/**
 * What the library makes of a payload. Its maps are objects, which only have strings for keys and none of them twice: keys
 * are kept aside, and their places stand for them.
 */
function decoded(payload: Buffer, keys: unknown[]): unknown {
  try {
    return decode(payload, {
      useBigInt64: true,
      extensionCodec: EXTENSIONS,
      keyDecoder: {
        canBeCached: () => true,
        decode: (bytes, start, length) => MARK + Buffer.from(bytes.buffer, bytes.byteOffset + start, length).toString(),
      },
      mapKeyConverter: (key) => keys.push(key) - 1,
    });
  } catch (error) {
    throw new PayloadFault(error instanceof Error ? error.message : String(error));
  }
}

function neutral(value: unknown, keys: readonly unknown[]): Value {
  if (Array.isArray(value)) return value.map((item) => neutral(item, keys));
  if (value instanceof ExtData) return new Special('$ext', value.type, value.data as Uint8Array);
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return value as Value;
  return new Entries(
    Object.entries(value).map(([place, item]) => {
      const key = keys[Number(place)];
      return [typeof key === 'string' ? key.slice(MARK.length) : neutral(key, keys), neutral(item, keys)];
    }),
  );
}

/** The payload of a value. Throws PayloadFault for what is only CBOR, and for integers of more than 64 bits. */
export function toMessagePack(value: Value): Buffer {
  const parts: Uint8Array[] = [];
  write(value, parts);
  return Buffer.concat(parts);
}

/** Containers are written here: the library would lose the order of keys that are numbers, and has no other keys than strings. */
function write(value: Value, parts: Uint8Array[]): void {
  if (Array.isArray(value)) {
    parts.push(head(value.length, 0x90, 0xdc));
    for (const item of value) write(item, parts);
  } else if (value instanceof Entries) {
    parts.push(head(value.pairs.length, 0x80, 0xde));
    for (const pair of value.pairs) for (const item of pair) write(item, parts);
  } else {
    parts.push(encode(scalar(value), { useBigInt64: true, extensionCodec: EXTENSIONS }));
  }
}

/** The first bytes of a container: a short one has its length in the first. */
function head(length: number, short: number, long: number): Uint8Array {
  if (length < 16) return Uint8Array.of(short | length);
  if (length < 0x10000) return Uint8Array.of(long, length >> 8, length & 0xff);
  return Uint8Array.of(long + 1, length >>> 24, (length >> 16) & 0xff, (length >> 8) & 0xff, length & 0xff);
}

function scalar(value: Value): unknown {
  if (typeof value === 'bigint' && (value < -(2n ** 63n) || value >= 2n ** 64n)) {
    throw new PayloadFault(`the integer ${value} has more than 64 bits`);
  }
  if (!(value instanceof Special)) return value;
  const { name, number, content } = value;
  if (name === '$ext') return new ExtData(Number(number), content as Uint8Array);
  throw new PayloadFault(`"${name}" is of CBOR, MessagePack has no such thing`);
}
