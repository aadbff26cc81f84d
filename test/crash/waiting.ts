// Waiting for what is to become true, looked at whenever something happened.

interface Wait {
  readonly isSo: () => boolean;
  readonly resolve: (isSo: boolean) => void;
  readonly timer: NodeJS.Timeout;
}

export class Waiting {
  private readonly waits = new Set<Wait>();
  private isAwake = false;

  /** Something happened; everybody looks again, once for all that happens in this turn. */
  wake(): void {
    if (this.isAwake || this.waits.size === 0) return;
    this.isAwake = true;
    setImmediate(() => {
      this.isAwake = false;
      for (const wait of [...this.waits]) if (wait.isSo()) this.settle(wait, true);
    });
  }

  /** Whether it became true within so many milliseconds. */
  until(isSo: () => boolean, limitMs: number): Promise<boolean> {
    if (isSo()) return Promise.resolve(true);
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.settle(wait, isSo()), limitMs);
      const wait: Wait = { isSo, resolve, timer };
      this.waits.add(wait);
    });
  }

  private settle(wait: Wait, isSo: boolean): void {
    if (!this.waits.delete(wait)) return;
    clearTimeout(wait.timer);
    wait.resolve(isSo);
  }
}
