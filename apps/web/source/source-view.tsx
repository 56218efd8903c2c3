import { useEffect, useRef } from 'react';
import { yaml } from '@codemirror/lang-yaml';
import { forceParsing, HighlightStyle, syntaxHighlighting } from '@codemirror/language';
import { highlightSelectionMatches, search, searchKeymap } from '@codemirror/search';
import { EditorState, StateEffect, StateField, type Range } from '@codemirror/state';
import {
  Decoration,
  EditorView,
  gutter,
  GutterMarker,
  keymap,
  lineNumbers,
  type DecorationSet,
} from '@codemirror/view';
import { tags } from '@lezer/highlight';
import type { Problem } from '#core';
import styles from './source.module.css';

interface SourceViewProps {
  readonly text: string;
  readonly problems: readonly Problem[];
  /** 1-based; marked and brought into sight. */
  readonly line?: number | null;
  /** A click on a line's number. */
  readonly onLine?: (line: number) => void;
}

/** Read-only YAML, whole in the document up to a size where the browser's own search would suffer; Ctrl F inside opens its search. */
export function SourceView({ text, problems, line = null, onLine }: SourceViewProps) {
  const host = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView | null>(null);
  const open = useRef(onLine);
  useEffect(() => {
    open.current = onLine;
  });
  useEffect(() => {
    if (host.current === null) return;
    const editor = new EditorView({
      parent: host.current,
      state: EditorState.create({
        doc: text,
        extensions: [
          lineNumbers({
            domEventHandlers: {
              click: (target, block) => {
                open.current?.(target.state.doc.lineAt(block.from).number);
                return true;
              },
            },
          }),
          problemGutter(problems),
          markedLine,
          problemLines(problems),
          yaml(),
          syntaxHighlighting(colours),
          search({ top: true }),
          highlightSelectionMatches(),
          keymap.of(searchKeymap),
          EditorState.readOnly.of(true),
          EditorView.editable.of(false),
          EditorView.contentAttributes.of({ tabindex: '0', 'aria-label': 'Pipeline file, read only' }),
        ],
      }),
    });
    // Files are short: colour all of it at once, so that a jump to a line does not land in plain text.
    forceParsing(editor, text.length, 60);
    view.current = editor;
    return () => {
      view.current = null;
      editor.destroy();
    };
  }, [text, problems]);
  useEffect(() => {
    const editor = view.current;
    if (editor === null) return;
    const at = line !== null && line >= 1 && line <= editor.state.doc.lines ? editor.state.doc.line(line).from : null;
    editor.dispatch({
      effects: [markLine.of(at), ...(at === null ? [] : [EditorView.scrollIntoView(at, { y: 'center' })])],
    });
  }, [line, text, problems]);
  return <div ref={host} className={styles.editor} data-testid="source" />;
}

const markLine = StateEffect.define<number | null>();
const marked = Decoration.line({ class: styles.marked ?? '' });
const markedLine = StateField.define<DecorationSet>({
  create: () => Decoration.none,
  update: (value, change) => {
    for (const effect of change.effects)
      if (effect.is(markLine))
        return effect.value === null ? Decoration.none : Decoration.set([marked.range(effect.value)]);
    return value;
  },
  provide: (field) => EditorView.decorations.from(field),
});

class ProblemMarker extends GutterMarker {
  readonly #text: string;

  constructor(text: string) {
    super();
    this.#text = text;
  }

  override toDOM(): Node {
    const mark = document.createElement('span');
    mark.textContent = '▲';
    mark.title = this.#text;
    mark.setAttribute('role', 'img');
    mark.setAttribute('aria-label', this.#text);
    return mark;
  }
}

function problemGutter(problems: readonly Problem[]) {
  return gutter({
    class: styles.gutter ?? '',
    lineMarker: (view, block) => {
      const number = view.state.doc.lineAt(block.from).number;
      const here = problems.filter((one) => one.line === number).map((one) => one.message);
      return here.length === 0 ? null : new ProblemMarker(here.join('\n'));
    },
  });
}

/** Underlines from the problem's column to the end of its line. */
function problemLines(problems: readonly Problem[]) {
  const wrong = (text: string) => Decoration.mark({ class: styles.wrong ?? '', attributes: { title: text } });
  return EditorView.decorations.compute(['doc'], (state) => {
    const ranges: Range<Decoration>[] = [];
    for (const { line, column, message } of problems) {
      if (line < 1 || line > state.doc.lines) continue;
      const { from, to } = state.doc.line(line);
      const start = Math.min(from + Math.max(0, column - 1), to);
      if (start < to) ranges.push(wrong(message).range(start, to));
    }
    return Decoration.set(ranges, true);
  });
}

const colours = HighlightStyle.define([
  { tag: [tags.propertyName, tags.definition(tags.propertyName)], color: 'var(--accent-fg)' },
  { tag: [tags.string, tags.content, tags.attributeValue], color: 'var(--text)' },
  { tag: tags.comment, color: 'var(--text-3)', fontStyle: 'italic' },
  { tag: [tags.number, tags.bool, tags.null, tags.keyword], color: 'var(--ansi-magenta)' },
  { tag: [tags.punctuation, tags.separator, tags.squareBracket, tags.brace], color: 'var(--text-3)' },
]);
