/** A time limit that begins when the work does, not when it is asked for. */

/** What `work` gives, or `late` if that takes more than `limitMs` from when it calls `onStart`. */
export async function within<T>(
  limitMs: number,
  work: (onStart: () => void) => Promise<T>,
): Promise<T | 'late'> {
  let timer: NodeJS.Timeout | undefined;
  let tellLate: () => void = () => undefined;
  const late = new Promise<'late'>((resolve) => {
    tellLate = () => resolve('late');
  });
  const onStart = () => {
    timer ??= setTimeout(tellLate, limitMs);
  };
  try {
    return await Promise.race([work(onStart), late]);
  } finally {
    clearTimeout(timer);
  }
}
