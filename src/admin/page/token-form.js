import { elementById, setText } from './fields.js';

const KEY = 'tailrace.token';
const TOKEN = /^[A-Za-z0-9._~+/=-]+$/;

/** Asks for the token where the daemon wants one, and keeps it for this tab. */
export class TokenForm {
  #form = elementById('token-form', HTMLFormElement);
  #input = elementById('token', HTMLInputElement);
  #problem = elementById('token-problem', HTMLElement);
  #forget = elementById('forget-token', HTMLButtonElement);
  #onChange;

  /** @param {() => void} onChange the token is another now, or none */
  constructor(onChange) {
    this.#onChange = onChange;
    this.#form.addEventListener('submit', (event) => {
      event.preventDefault();
      this.#take(this.#input.value.trim());
    });
    this.#forget.addEventListener('click', () => {
      sessionStorage.removeItem(KEY);
      this.#onChange();
    });
  }

  /** @returns {string | null} */
  get token() {
    return sessionStorage.getItem(KEY);
  }

  /** @param {string} detail why the daemon refused the request */
  ask(detail) {
    if (this.token !== null) setText(this.#problem, detail);
    sessionStorage.removeItem(KEY);
    this.#forget.hidden = true;
    if (!this.#form.hidden) return;
    this.#form.hidden = false;
    this.#input.focus();
  }

  /** The daemon answered with what was asked for. */
  accepted() {
    this.#forget.hidden = this.token === null;
    if (this.#form.hidden) return;
    this.#form.hidden = true;
    this.#input.value = '';
    setText(this.#problem, '');
    elementById('sources', HTMLElement).focus();
  }

  /** @param {string} token */
  #take(token) {
    if (!TOKEN.test(token)) {
      setText(this.#problem, 'A token has only letters, digits and the signs . _ ~ + / = -');
      return;
    }
    setText(this.#problem, '');
    sessionStorage.setItem(KEY, token);
    this.#onChange();
  }
}
