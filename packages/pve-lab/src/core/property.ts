/** A property of the API description, as far as verification needs it. */
export interface Property {
  type?: string;
  format?: string | Readonly<Record<string, Property>>;
  optional?: number | boolean;
  enum?: readonly string[];
  pattern?: string;
  minimum?: number;
  maximum?: number;
  minLength?: number;
  maxLength?: number;
  requires?: string;
  default_key?: number;
  alias?: string;
  items?: Property;
}
