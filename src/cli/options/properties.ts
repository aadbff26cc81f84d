// The option of the clients that sets MQTT 5 properties.
import { maskProperty, PROPERTY } from '../property-option.ts';
import type { OptionRow } from './row.ts';

export const PROPERTY_OPTIONS = [
  {
    key: 'properties',
    names: ['-D', '--property'],
    kind: PROPERTY,
    mask: maskProperty,
    list: true,
    tools: ['pub', 'sub', 'rr'],
    group: 'MQTT 5 properties',
    value: 'COMMAND NAME VALUE',
    missing: '--property argument given but not enough arguments specified',
    help: 'Set a property of a packet, and choose MQTT 5. COMMAND is connect, publish, subscribe, unsubscribe, disconnect or will. The name user-property is followed by two words, key and value, and may be repeated.',
  },
] as const satisfies readonly OptionRow[];
