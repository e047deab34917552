/** What is shown: the marked elements of a copy of a template, and changes to them only where something has changed. */
export class Fields {
  /** @type {Map<string, Element>} */
  #elements = new Map();
  /** @type {Element} the copy itself */
  root;

  /** @param {string} templateId */
  constructor(templateId) {
    const template = elementById(templateId, HTMLTemplateElement);
    const root = /** @type {Element} */ (template.content.firstElementChild);
    this.root = document.importNode(root, true);
    for (const element of this.root.querySelectorAll('[data-field]')) {
      this.#elements.set(element.getAttribute('data-field') ?? '', element);
    }
  }

  /**
   * @param {string} name of `data-field`
   * @returns {Element}
   */
  element(name) {
    const element = this.#elements.get(name);
    if (element === undefined) throw new Error(`the template has no field ${name}`);
    return element;
  }

  /**
   * @template {Element} E
   * @param {string} name
   * @param {new () => E} type
   * @returns {E}
   */
  typed(name, type) {
    const element = this.element(name);
    if (!(element instanceof type)) throw new Error(`the field ${name} is no ${type.name}`);
    return element;
  }

  /**
   * @param {string} name
   * @param {string} text
   */
  text(name, text) {
    setText(this.element(name), text);
  }

  /**
   * @param {string} name
   * @param {string} attribute
   * @param {string} value
   */
  attribute(name, attribute, value) {
    setAttribute(this.element(name), attribute, value);
  }

  /**
   * @param {string} name
   * @param {boolean} isShown
   */
  show(name, isShown) {
    this.typed(name, HTMLElement).hidden = !isShown;
  }
}

/**
 * Text is only ever text here, never markup. What has not changed stays, with a reader's selection in it.
 * @param {Element} element
 * @param {string} text
 */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/**
 * @param {Element} element
 * @param {string} attribute
 * @param {string} value
 */
export function setAttribute(element, attribute, value) {
  if (element.getAttribute(attribute) !== value) element.setAttribute(attribute, value);
}

/**
 * @template {HTMLElement} E
 * @param {string} id
 * @param {new () => E} type
 * @returns {E}
 */
export function elementById(id, type) {
  const element = document.getElementById(id);
  if (!(element instanceof type)) throw new Error(`the page has no ${type.name} with the id ${id}`);
  return element;
}

/**
 * Makes the children of `parent` these, in this order, and moves none that is in its place: moving loses the focus.
 * @param {Element} parent
 * @param {readonly Element[]} children
 */
export function setChildren(parent, children) {
  const wanted = new Set(children);
  for (const child of [...parent.children]) if (!wanted.has(child)) child.remove();
  for (const [index, child] of children.entries()) {
    if (parent.children[index] !== child) parent.insertBefore(child, parent.children[index] ?? null);
  }
}
