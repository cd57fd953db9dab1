import assert from "node:assert/strict";
import createClient from "openapi-fetch";
import type * as elw from "./elw";
import type * as lochting from "./lochting";
import type * as native from "./native";

const env = process.env as Record<string, string>;
const settings = (Authorization: string) => ({ baseUrl: env.URL, headers: { Authorization } });
const customerOf = <T>({ data, error }: { data?: T; error?: unknown }): T => {
  assert.equal(error, undefined);
  return data as T;
};

{
  const api = createClient<native.paths>(settings(`Bearer ${env.KEY}`));
  const params = { path: { ref: env.NATIVE } };
  const update = async (body: native.components["schemas"]["CustomerPatch"]) =>
    customerOf(await api.PATCH("/v1/customers/{ref}", { params, body }));
  const customer = customerOf(await api.GET("/v1/customers/{ref}", { params }));
  assert.deepEqual([customer.kind, customer.phone, customer.address.city], ["organisation", "11223344", "Oslo"]);
  await update({ phone: "22334455", address: { city: "Bergen" } });
  await update({ email: "kari@example.com" });
  assert.equal((await update({ phone: null }))?.phone, null);
}
{
  const api = createClient<elw.paths>(settings(`Basic ${btoa(`${env.LOGIN}:${env.PASSWORD}`)}`));
  const params = { path: { customerId: Number(env.ELW) } };
  const update = async (body: elw.components["schemas"]["CustomerUpdate"]) =>
    customerOf(await api.PATCH("/api/customers/{customerId}", { params, body }));
  assert.equal(customerOf(await api.GET("/api/customers/{customerId}", { params })).PhoneNumber, "11223344");
  await update({ PhoneNumber: "22334455" });
  await update({ Email: "kari@example.com" });
  assert.equal((await update({ PhoneNumber: null })).PhoneNumber, "22334455");
  assert.equal((await update({ PhoneNumber: "" })).PhoneNumber, null);
}
{
  type Update = lochting.components["schemas"]["CustomerUpdate"];
  const api = createClient<lochting.paths>(settings(env.KEY));
  const params = { path: { customerId: env.LOCHTING } };
  const get = async () => customerOf(await api.GET("/public/v1/customer/{customerId}", { params }));
  const { firstName, lastName, locale, emailAddress, gender, country, phoneNumber } = await get();
  assert.equal(phoneNumber, "11223344");
  const same = { firstName, lastName, locale, emailAddress, gender, country } as Update;
  const update = async (change: Partial<Update>) =>
    customerOf(await api.PATCH("/public/v1/customer/{customerId}", { params, body: { ...same, ...change } }));
  await update({ phoneNumber: "22334455" });
  await update({ city: "Brugge" });
  await update({ phoneNumber: null });
  assert.equal((await get()).phoneNumber, null);
}
