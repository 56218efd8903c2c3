import type { Command } from 'commander';

/** Every command below this one, in the order of the manual. */
export function descendantsOf(command: Command): Command[] {
  return command.commands.flatMap((child) => [child, ...descendantsOf(child)]);
}

/** The commands that do something. */
export function leavesOf(command: Command): Command[] {
  return descendantsOf(command).filter((each) => each.commands.length === 0);
}

/** Commander keeps this to itself; a hidden command is for us, not for people. */
export function isHidden(command: Command): boolean {
  return (command as unknown as { readonly _hidden?: boolean })._hidden === true;
}
