/** Resolves after a time, or sooner when the window gets an event; rejects with the signal's reason. */
export function after(ms: number, signal: AbortSignal, sooner?: keyof WindowEventMap): Promise<void> {
  return new Promise((resolve, reject) => {
    const end = (): void => {
      clearTimeout(timer);
      if (sooner) window.removeEventListener(sooner, end);
      signal.removeEventListener('abort', end);
      if (signal.aborted) reject(signal.reason as Error);
      else resolve();
    };
    const timer = window.setTimeout(end, signal.aborted ? 0 : ms);
    if (sooner) window.addEventListener(sooner, end);
    signal.addEventListener('abort', end);
  });
}
