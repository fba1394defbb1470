import { html, type Html, type Part } from './html.js';

export interface Column<Row> {
  readonly label: string;
  readonly cell: (row: Row) => Part;
  /**
   * `name`: its cells are the headers of their rows; `plain`: they are understood without a label; `number`: they are aligned to the right;
   * `wide`: they have a line of their own where the page is narrow.
   */
  readonly is?: 'name' | 'plain' | 'number' | 'wide';
}

export interface TableOptions<Row> {
  /** The class of the table. */
  readonly name: string;
  readonly caption: string;
  readonly columns: readonly Column<Row>[];
  readonly rows: readonly Row[];
  /** How many rows are shown at most. */
  readonly limit: number;
  /** Where all of them are shown. */
  readonly allAt: string;
  /** Of a row. */
  readonly className?: (row: Row) => string;
}

/** A table, which the stylesheet turns into a list of cards where the page is narrow; each cell has its column's label for that. */
export function table<Row>({ name, caption, columns, rows, limit, allAt, className }: TableOptions<Row>): Html {
  const shown = rows.slice(0, limit);
  const classOf = ({ is }: Column<Row>): Html | undefined =>
    is === 'number' || is === 'wide' ? html` class="${is}"` : undefined;
  const heads = columns.map((column) => html`<th scope="col" ${classOf(column)}>${column.label}</th>`);
  const cell = (column: Column<Row>, row: Row): Html =>
    column.is === 'name'
      ? html`<th scope="row">${column.cell(row)}</th>`
      : html`<td${classOf(column)}${column.is !== 'plain' && html` data-of="${column.label}"`}>${column.cell(row)}</td>`;
  const line = (row: Row): Html => {
    const own = className?.(row) ?? '';
    return html`<tr${own !== '' && html` class="${own}"`}>${columns.map((column) => cell(column, row))}</tr>
`;
  };
  return html`<table class="${name}">
      <caption>
        ${caption}
      </caption>
      <thead>
        <tr>
          ${heads}
        </tr>
      </thead>
      <tbody>
        ${shown.map(line)}
      </tbody>
    </table>
    ${rows.length > limit && html`<p class="more">These are ${limit} of ${rows.length}. <a href="${allAt}">Show all</a></p>`}`;
}
