// All command lines of the differential suite.
import { CONNECTION } from './differential-connection.ts';
import { FORMATS } from './differential-formats.ts';
import type { Group } from './differential-line.ts';
import { PASSWD } from './differential-passwd.ts';
import { PUBLISH } from './differential-publish.ts';
import { SUBSCRIBE } from './differential-subscribe.ts';
import { USAGE } from './differential-usage.ts';

export const GROUPS: readonly Group[] = [...CONNECTION, ...PASSWD, ...PUBLISH, ...SUBSCRIBE, ...USAGE, ...FORMATS];
