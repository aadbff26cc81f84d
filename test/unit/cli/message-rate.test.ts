import assert from 'node:assert/strict';
import { it } from 'node:test';
import { MessageRate } from '../../../src/cli/commands/message-rate.ts';

it('the rate of messages is printed each second, also where the timer is late', (context) => {
  context.mock.timers.enable({ apis: ['setInterval'] });
  const printed: string[] = [];
  let now = 5000;
  const rate = new MessageRate({ text: (text) => void printed.push(text) }, () => now);
  rate.begin();
  const pass = (ms: number): void => {
    now += ms;
    context.mock.timers.tick(1000);
  };
  for (let i = 0; i < 250; i++) rate.show();
  pass(1000);
  pass(1000);
  for (let i = 0; i < 300; i++) rate.show();
  pass(1500);
  rate.show();
  rate.end();
  pass(1000);
  assert.deepEqual(printed, ['250 msgs/s\n', '0 msgs/s\n', '200 msgs/s\n']);
});
