// Options of the clients about the will: the message that the broker publishes when the client is lost.
import { FLAG, qos, TEXT, topicName } from '../kinds.ts';
import type { OptionRow } from './row.ts';

const clients = ['pub', 'sub', 'rr'] as const;

export const WILL_OPTIONS = [
  {
    key: 'willTopic',
    names: ['--will-topic'],
    kind: topicName('will topic'),
    tools: clients,
    group: 'Will',
    value: 'TOPIC',
    missing: '--will-topic argument given but no will topic specified',
    help: 'Topic of the will. Without it there is no will.',
  },
  {
    key: 'willPayload',
    names: ['--will-payload'],
    kind: TEXT,
    tools: clients,
    group: 'Will',
    value: 'TEXT',
    missing: '--will-payload argument given but no will payload specified',
    needs: { keys: ['willTopic'], message: 'Will payload given, but no will topic given.' },
    help: 'Payload of the will. Default: empty.',
  },
  {
    key: 'willQos',
    names: ['--will-qos'],
    kind: qos('Invalid will QoS'),
    tools: clients,
    group: 'Will',
    value: 'QOS',
    missing: '--will-qos argument given but no will QoS specified',
    fallback: 0,
    help: 'Quality of service of the will. Default: 0.',
  },
  {
    key: 'willRetain',
    names: ['--will-retain'],
    kind: FLAG,
    tools: clients,
    group: 'Will',
    needs: { keys: ['willTopic'], message: 'Will retain given, but no will topic given.' },
    help: 'Have the broker retain the will.',
  },
] as const satisfies readonly OptionRow[];
