import { parseMarkdown, type Block, type Inline } from './parse-markdown.ts';
import styles from './markdown.module.css';

/** A task's own words. Only elements made here get into the page; links leave with no trace of where they came from. */
export function Markdown({ text }: { text: string }) {
  const blocks = parseMarkdown(text);
  const top = Math.min(...blocks.map((block) => (block.kind === 'heading' ? block.level : 6)));
  return (
    <div className={styles.text}>
      {blocks.map((block, index) => (
        <Piece key={index} block={block} top={top} />
      ))}
    </div>
  );
}

/** `top` is the highest heading in the text; it becomes level 3, below the card's. */
function Piece({ block, top }: { block: Block; top: number }) {
  switch (block.kind) {
    case 'heading':
      return (
        <p
          className={styles.heading}
          role="heading"
          aria-level={Math.min(6, 3 + block.level - top)}
          data-level={block.level}
        >
          <Words words={block.text} />
        </p>
      );
    case 'paragraph':
      return (
        <p>
          <Words words={block.text} />
        </p>
      );
    case 'list': {
      const List = block.ordered ? 'ol' : 'ul';
      return (
        <List>
          {block.items.map((item, index) => (
            <li key={index}>
              <Words words={item} />
            </li>
          ))}
        </List>
      );
    }
    case 'table':
      return (
        <table>
          <thead>
            <tr>
              {block.head.map((cell, index) => (
                <th key={index}>
                  <Words words={cell} />
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {block.rows.map((row, index) => (
              <tr key={index}>
                {row.map((cell, at) => (
                  <td key={at}>
                    <Words words={cell} />
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      );
    case 'code':
      return <pre>{block.text}</pre>;
    case 'rule':
      return <hr />;
    default:
      return null;
  }
}

function Words({ words }: { words: readonly Inline[] }) {
  return words.map((one, index) => {
    switch (one.kind) {
      case 'bold':
        return <strong key={index}>{one.text}</strong>;
      case 'italic':
        return <em key={index}>{one.text}</em>;
      case 'code':
        return <code key={index}>{one.text}</code>;
      case 'link':
        return (
          <a key={index} href={one.href} target="_blank" rel="noopener noreferrer">
            {one.text}
          </a>
        );
      default:
        return <span key={index}>{one.text}</span>;
    }
  });
}
