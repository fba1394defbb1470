import { readdirSync, readFileSync } from 'node:fs';
import { posix } from 'node:path';
import ts from 'typescript';
import { root } from './pages.js';

/** What stands for a part of a text that the source computes. */
export const gap = '…';

/** A text that people may get to see, and the file below src/ that has it. */
export interface Message {
  readonly text: string;
  readonly file: string;
}

/** What makes an error of its arguments: classes of errors, and functions that make one or collect the problems of a configuration. */
const makers =
  /^(?:\w*(?:Error|Failure)|TooManyOpen|row|refusal|(?:context\.)?problem|(?:\w+\.)*problems\.push|this\.fail)$/;
/** The properties that have the text of an error. */
const properties = /^(?:message|problem|error)$/;
/** How a text begins that says how a setting has to be. */
const rule = /^(?:must|can't|has|is) /;

/**
 * The texts of all errors in src/, by its syntax: the strings among the arguments of what makes errors. Names are followed to their constants, and
 * calls to what their functions return, also into other files. What is put into a text is a text of its own if it is a sentence, and a gap there.
 */
export function errorMessages(): Message[] {
  const program = new Program();
  const found = new Map<string, Message>();
  for (const [file, source] of program.sources) {
    const texts = errorsIn(source).flatMap((each) => program.textsOf(each));
    for (const text of texts.filter(isSentence)) found.set(text, { text, file });
  }
  return [...found.values()];
}

/** Whether a text says something by itself: two words or more that aren't computed. */
function isSentence(text: string): boolean {
  return text.split(/[\s…]+/).filter((word) => /^[a-z]{2}/i.test(word)).length > 1;
}

/** The expressions that have the texts of errors. */
function errorsIn(source: ts.SourceFile): ts.Expression[] {
  const found: ts.Expression[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isNewExpression(node) || ts.isCallExpression(node)) {
      if (makers.test(node.expression.getText(source))) found.push(...(node.arguments ?? []));
    } else if (ts.isPropertyAssignment(node) && properties.test(node.name.getText(source))) {
      found.push(node.initializer);
    } else if (ts.isShorthandPropertyAssignment(node) && properties.test(node.name.text)) {
      found.push(node.name);
    } else if (source.fileName.startsWith('config/') && isRule(node)) {
      found.push(node);
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

/** Whether a text says how a setting has to be. */
function isRule(node: ts.Node): node is ts.StringLiteralLike | ts.TemplateExpression {
  if (ts.isTemplateExpression(node)) return rule.test(node.head.text);
  return ts.isStringLiteralLike(node) && rule.test(node.text);
}

/** All of src/, and what its names stand for. */
class Program {
  readonly sources = new Map<string, ts.SourceFile>();
  /** The values of constants and what functions return, by file and name. */
  private readonly values = new Map<string, Map<string, ts.Expression[]>>();

  constructor() {
    for (const file of readdirSync(`${root}/src`, { recursive: true, encoding: 'utf8' }).sort()) {
      if (!file.endsWith('.ts')) continue;
      const text = readFileSync(`${root}/src/${file}`, 'utf8');
      const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
      this.sources.set(file, source);
      this.values.set(file, valuesIn(source));
    }
  }

  /** The texts that an expression can have, and those that can be put into it. */
  textsOf(node: ts.Node, depth = 0): string[] {
    const next = (each: ts.Node): string[] => this.textsOf(each, depth);
    if (ts.isStringLiteralLike(node)) return [node.text];
    if (ts.isTemplateExpression(node)) {
      const text = node.head.text + node.templateSpans.map(({ literal }) => gap + literal.text).join('');
      return [text, ...node.templateSpans.flatMap(({ expression }) => next(expression))];
    }
    if (ts.isBinaryExpression(node) && node.operatorToken.kind === ts.SyntaxKind.PlusToken) {
      const [[left = gap, ...more], [right = gap, ...others]] = [next(node.left), next(node.right)];
      return [left + right, ...more, ...others];
    }
    if (ts.isBinaryExpression(node)) return [...next(node.left), ...next(node.right)];
    if (ts.isConditionalExpression(node)) return [...next(node.whenTrue), ...next(node.whenFalse)];
    if (ts.isParenthesizedExpression(node) || ts.isAsExpression(node)) return next(node.expression);
    if (ts.isCallExpression(node)) return next(node.expression);
    // A name may stand for something that has that name.
    if (ts.isIdentifier(node) && depth < 6) return this.valuesOf(node).flatMap((each) => this.textsOf(each, depth + 1));
    // A table of texts, and what is taken out of it.
    if (ts.isElementAccessExpression(node)) return next(node.expression);
    if (ts.isObjectLiteralExpression(node)) return node.properties.flatMap(next);
    if (ts.isPropertyAssignment(node)) return next(node.initializer);
    if (ts.isShorthandPropertyAssignment(node)) return next(node.name);
    if (ts.isArrayLiteralExpression(node)) return node.elements.flatMap(next);
    return [];
  }

  private valuesOf(name: ts.Identifier): readonly ts.Expression[] {
    if (isParameter(name)) return [];
    const source = name.getSourceFile();
    const file = importedFrom(name.text, source) ?? source.fileName;
    return this.values.get(file)?.get(name.text) ?? [];
  }
}

/** Whether a name is a parameter of one of the functions around it, whose value isn't known here. */
function isParameter({ text, parent }: ts.Identifier): boolean {
  for (let node: ts.Node = parent; !ts.isSourceFile(node); node = node.parent)
    if (ts.isFunctionLike(node) && node.parameters.some(({ name }) => name.getText() === text)) return true;
  return false;
}

/** The file below src/ that a name is imported from. */
function importedFrom(name: string, source: ts.SourceFile): string | undefined {
  for (const statement of source.statements) {
    if (!ts.isImportDeclaration(statement) || !ts.isStringLiteral(statement.moduleSpecifier)) continue;
    const bindings = statement.importClause?.namedBindings;
    if (bindings === undefined || !ts.isNamedImports(bindings)) continue;
    if (!bindings.elements.some((each) => each.name.text === name)) continue;
    const path = posix.join(posix.dirname(source.fileName), statement.moduleSpecifier.text);
    return path.replace(/\.js$/, '.ts');
  }
  return undefined;
}

function valuesIn(source: ts.SourceFile): Map<string, ts.Expression[]> {
  const values = new Map<string, ts.Expression[]>();
  const add = (name: string, value: ts.Expression): void => void values.set(name, [...(values.get(name) ?? []), value]);
  const visit = (node: ts.Node): void => {
    if (ts.isVariableDeclaration(node) && node.initializer !== undefined) {
      const { initializer } = node;
      const values = ts.isArrowFunction(initializer) ? returnedBy(initializer) : [initializer];
      for (const name of namesIn(node.name)) for (const value of values) add(name, value);
    }
    if (ts.isFunctionDeclaration(node) && node.name !== undefined)
      for (const value of returnedBy(node)) add(node.name.text, value);
    ts.forEachChild(node, visit);
  };
  visit(source);
  return values;
}

function namesIn(name: ts.BindingName): string[] {
  if (ts.isIdentifier(name)) return [name.text];
  return name.elements.flatMap((each) => (ts.isBindingElement(each) ? namesIn(each.name) : []));
}

function returnedBy({ body }: ts.FunctionDeclaration | ts.ArrowFunction): ts.Expression[] {
  if (body === undefined) return [];
  if (!ts.isBlock(body)) return [body];
  const returned: ts.Expression[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isFunctionLike(node)) return;
    if (ts.isReturnStatement(node) && node.expression !== undefined) returned.push(node.expression);
    ts.forEachChild(node, visit);
  };
  visit(body);
  return returned;
}
