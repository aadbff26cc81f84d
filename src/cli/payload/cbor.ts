// CBOR (RFC 8949) to and from values, by cbor2. It is loaded only where a payload is CBOR.
import { checkCbor } from './cbor-scan.ts';
import { MAX_DEPTH, PayloadFault } from './fault.ts';
import { Entries, Special, type Value } from './values.ts';

type Writer = Parameters<typeof import('cbor2/encoder').writeInt>[1];
type Options = Parameters<typeof import('cbor2/encoder').writeUnknown>[2];

/** Major type of maps. */
const MAP = 5;

/** The library, which is no CommonJS and so loaded by import() wherever this file is bundled. */
type Library = typeof import('cbor2') & Pick<typeof import('cbor2/encoder'), 'writeInt' | 'writeUnknown'>;

/** Both directions; they throw PayloadFault. */
export interface Cbor {
  from(payload: Buffer): Value;
  /** Faults are what only MessagePack has. */
  to(value: Value): Buffer;
}

/** Loads the library. */
export async function loadCbor(): Promise<Cbor> {
  const { writeInt, writeUnknown } = await import('cbor2/encoder');
  const library: Library = { ...(await import('cbor2')), writeInt, writeUnknown };
  return {
    from: (payload) => {
      checkCbor(payload);
      return neutral(library, decoded(library, payload));
    },
    to: (value) => Buffer.from(library.encode(foreign(library, value))),
  };
}

function decoded(library: Library, payload: Buffer): unknown {
  try {
    return library.decode(payload, {
      ignoreGlobalTags: true,
      tags: new Map(),
      // More than there can be, as the check has looked at it: the library counts some levels twice.
      maxDepth: 2 * MAX_DEPTH + 8,
      createObject: (pairs) =>
        new Entries(pairs.map(([key, value]) => [neutral(library, key), neutral(library, value)])),
    });
  } catch (error) {
    throw new PayloadFault(error instanceof Error ? error.message : String(error));
  }
}

function neutral(library: Library, value: unknown): Value {
  if (Array.isArray(value)) return value.map((item) => neutral(library, item));
  if (value instanceof library.Tag) {
    return new Special('$tag', value.tag as number | bigint, neutral(library, value.contents));
  }
  if (value instanceof library.Simple) return new Special('$simple', value.value, null);
  if (value === undefined) return new Special('$undefined', 0, null);
  return value as Value;
}

function foreign(library: Library, value: Value): unknown {
  if (Array.isArray(value)) return value.map((item) => foreign(library, item));
  if (value instanceof Entries) return { toCBOR: mapWriter(library, value) };
  if (!(value instanceof Special)) return value;
  const { name, number, content } = value;
  if (name === '$ext') throw new PayloadFault('"$ext" is of MessagePack, CBOR has "$tag"');
  if (name === '$tag') return new library.Tag(number, foreign(library, content));
  return name === '$simple' ? new library.Simple(Number(number)) : undefined;
}

/** Maps of JavaScript have no equal keys, and those of CBOR may. */
function mapWriter(library: Library, { pairs }: Entries): (writer: Writer, options: Options) => undefined {
  return (writer, options) => {
    library.writeInt(pairs.length, writer, MAP);
    for (const [key, value] of pairs) {
      library.writeUnknown(foreign(library, key), writer, options);
      library.writeUnknown(foreign(library, value), writer, options);
    }
    return undefined;
  };
}
