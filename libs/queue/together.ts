/**
 * Asks for many things with one request: what is asked for while a request is under way goes with the next one, at most
 * `most` at a time. What a request throws is thrown to all who asked in it.
 */
export function together<Asked, Answer>(
  most: number,
  ask: (asked: readonly Asked[]) => Promise<readonly Answer[]>,
): (asked: Asked) => Promise<Answer> {
  const waiting: {
    readonly asked: Asked;
    readonly resolve: (answer: Answer) => void;
    readonly reject: (error: unknown) => void;
  }[] = [];
  let asking = false;
  const askAll = async (): Promise<void> => {
    asking = true;
    // One turn of the event loop: what came together is asked for together.
    await Promise.resolve();
    while (waiting.length > 0) {
      const group = waiting.splice(0, most);
      try {
        const answers = await ask(group.map(({ asked }) => asked));
        for (const [index, { resolve }] of group.entries()) resolve(answers[index] as Answer);
      } catch (error) {
        for (const { reject } of group) reject(error);
      }
    }
    asking = false;
  };
  return (asked) =>
    new Promise((resolve, reject) => {
      waiting.push({ asked, resolve, reject });
      if (!asking) void askAll();
    });
}
