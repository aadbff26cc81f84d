// Which counts where a URL and other options name the same: as with Mosquitto, what stands last on the command line.
import { UsageError } from './messages.ts';
import type { BrokerUrl } from './url.ts';

/**
 * Puts the parts of the URL into the fields of the options that say the same. A URL without a port means that of its scheme.
 * @param given keys of the options in the order in which they were given
 * @returns the topic of the URL where it counts, null where another one does
 */
export function takeUrl(url: BrokerUrl, fields: Record<string, unknown>, given: readonly string[]): string | null {
  const place = given.lastIndexOf('url');
  const isLast = (key: string): boolean => given.lastIndexOf(key) < place;
  const take = (key: 'host' | 'port' | 'username' | 'password'): void => {
    if (isLast(key)) fields[key] = url[key] ?? (key === 'port' ? null : fields[key]);
  };
  take('host');
  take('port');
  take('username');
  take('password');
  if (url.password !== null) {
    for (const source of ['passwordFile', 'passwordEnv', 'passwordFd'].filter(isLast)) fields[source] = null;
  }
  if (url.topic === '') {
    if (given.includes('topic') || given.includes('topics')) return null;
    throw new UsageError('Invalid URL for -L argument specified - topic missing.');
  }
  return given.includes('topic') && !isLast('topic') ? null : url.topic;
}
