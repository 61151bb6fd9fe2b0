/** A dialog above the page. The browser's own <dialog> keeps the focus inside and gives it back. */

import type { ComponentChildren, JSX } from "preact";
import { useEffect, useId, useRef } from "preact/hooks";
import { RoundButton } from "./button";
import { Close } from "./icons";

interface ModalProps {
  title: string;
  children: ComponentChildren;
  onClose: () => void;
  testId?: string;
}

export function Modal({ title, children, onClose, testId }: ModalProps): JSX.Element {
  const element = useRef<HTMLDialogElement>(null);
  const heading = useId();
  useEffect(() => {
    const shown = element.current;
    shown?.showModal();
    return () => shown?.close();
  }, []);
  return (
    <dialog
      ref={element}
      class="modal"
      aria-labelledby={heading}
      data-testid={testId}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
      onClick={(event) => {
        if (event.target === element.current) onClose();
      }}
    >
      <div class="modal-body">
        <header class="modal-head">
          <h2 id={heading}>{title}</h2>
          <RoundButton label="Close" icon={<Close />} onClick={onClose} />
        </header>
        {children}
      </div>
    </dialog>
  );
}
