/** What makes an expression in this command dangerous although its quoting is right. */
export type CommandDanger = 'code' | 'name' | 'arithmetic';

/** Programs that read their arguments as code, wherever they stand. */
const CODE_COMMANDS = new Set(['eval', 'let', 'trap', 'ssh', 'awk', 'gawk', 'mawk', 'sed', 'watch', 'osascript']);
/** Programs that read the argument behind `-c` or `-e` as code. */
const INTERPRETERS =
  /^((ba|da|z|k|fi|a)?sh|python[\d.]*|pypy[\d.]*|node|deno|bun|perl|ruby|php|lua|R|Rscript|psql|mysql|mariadb|duckdb|sqlite3|su|xargs|runuser|clickhouse-client)$/;
const CODE_OPTION = /^(-[A-Za-z]*[ceEpr]|--(eval|print|command|execute|query))$/;
const CODE_OPTION_JOINED = /^(-[ceEr]|--(eval|print|command|execute|query)=)/;
const OPTION_VALUES = new Set(['pipefail', 'errexit', 'nounset', 'xtrace']);
/** Builtins whose arguments are names of variables: bash evaluates `a[$(…)]` in them. */
const NAME_COMMANDS = new Set([
  'declare',
  'typeset',
  'local',
  'export',
  'readonly',
  'unset',
  'read',
  'mapfile',
  'readarray',
  'getopts',
]);
const ARITHMETIC_TESTS = new Set(['-eq', '-ne', '-lt', '-le', '-gt', '-ge', '-v']);
const BEFORE_COMMAND = new Set(['if', 'then', 'elif', 'else', 'while', 'until', 'do', '!', '{', 'time', 'coproc']);

type Worsen = (danger: CommandDanger) => void;

/** The words of one simple command, as far as they matter for the expressions in it. */
export class ShellCommand {
  #words: string[] = [];
  /** Null between words. */
  #word: string | null = null;
  /** Expressions inside `[[ ]]`, whose operator may come after them. */
  #tested: Worsen[] = [];

  get atWordStart(): boolean {
    return this.#word === null;
  }

  get atStart(): boolean {
    return this.#word === null && this.#words.length === 0;
  }

  text(characters: string): void {
    this.#word = (this.#word ?? '') + characters;
  }

  /** Notes an expression at the end of what was read so far; `worsen` may also be called later. */
  expression(place: 'bare' | 'double', worsen: Worsen): void {
    const danger = this.#danger(place);
    if (danger !== null) worsen(danger);
    if (this.#words[0] === '[[') this.#tested.push(worsen);
    this.text('\u0000');
  }

  /** Ends the word; returns 1 for `case`, -1 for `esac`, 0 otherwise. */
  endWord(): number {
    const word = this.#word;
    this.#word = null;
    if (word === null) return 0;
    if (this.#words.length === 0 && BEFORE_COMMAND.has(word)) return 0;
    const isFirst = this.#words.length === 0;
    this.#words.push(word);
    if (this.#words[0] === '[[' && (ARITHMETIC_TESTS.has(word) || this.#words.at(-2) === '-v'))
      for (const worsen of this.#tested) worsen('arithmetic');
    return isFirst && word === 'case' ? 1 : isFirst && word === 'esac' ? -1 : 0;
  }

  end(): number {
    const change = this.endWord();
    // `[[ a && b ]]` is one command to bash; forgetting the first half only forgets its own operators.
    this.#words = [];
    this.#tested = [];
    return change;
  }

  #danger(place: 'bare' | 'double'): CommandDanger | null {
    const names = this.#words.map((word) => word.slice(word.lastIndexOf('/') + 1));
    const word = this.#word ?? '';
    if (place === 'bare' && /^[A-Za-z_]\w*\[[^\]]*$/.test(word)) return 'arithmetic';
    if (names.some((name) => CODE_COMMANDS.has(name)) || this.#isInterpretersCode(names, word)) return 'code';
    const last = names.at(-1);
    if (this.#words[0] === '[[' && last !== undefined && ARITHMETIC_TESTS.has(last)) return 'arithmetic';
    if (last === '-v' && ['printf', 'test', '['].includes(names[0] ?? '')) return 'name';
    if (
      NAME_COMMANDS.has(names[0] ?? '') &&
      !word.includes('=') &&
      !['-p', '-d', '-i', '-n', '-t'].includes(last ?? '')
    )
      return 'name';
    return null;
  }

  #isInterpretersCode(names: readonly string[], word: string): boolean {
    const interpreter = names.findLastIndex((name) => INTERPRETERS.test(name));
    if (interpreter < 0) return false;
    const between = names.slice(interpreter + 1);
    const option = between.findIndex((name) => CODE_OPTION.test(name));
    // `python3 train.py -c "$X"`: options behind the script belong to the script.
    const isOwn = (words: readonly string[]): boolean =>
      words.every((name) => name.startsWith('-') || OPTION_VALUES.has(name));
    if (option >= 0) return isOwn(between.slice(0, option)) && option === between.length - 1;
    return CODE_OPTION_JOINED.test(word) && isOwn(between);
  }
}
