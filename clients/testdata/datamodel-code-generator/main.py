# The generator makes models without a client. exclude_unset keeps absent fields absent.
import os

import elw
import httpx
import lochting
import native

env = os.environ


class Api:
    def __init__(self, path, model, **options):
        self.path, self.model, self.http = path, model, httpx.Client(base_url=env["URL"], **options)

    def get(self):
        return self.model.model_validate_json(self.http.get(self.path).raise_for_status().content)

    def update(self, change):
        self.http.patch(self.path, json=change.model_dump(mode="json", exclude_unset=True)).raise_for_status()


api = Api(f"/v1/customers/{env['NATIVE']}", native.Customer, headers={"Authorization": f"Bearer {env['KEY']}"})
customer = api.get()
assert (customer.kind.value, customer.phone, customer.address.city) == ("organisation", "11223344", "Oslo")
api.update(native.CustomerPatch(phone="22334455", address=native.AddressPatch(city="Bergen")))
api.update(native.CustomerPatch(email="kari@example.com"))
api.update(native.CustomerPatch(phone=None))
assert (api.get().phone, api.get().email) == (None, "kari@example.com")

api = Api(f"/api/customers/{env['ELW']}", elw.CustomerResponse, auth=(env["LOGIN"], env["PASSWORD"]))
assert api.get().PhoneNumber == "11223344"
api.update(elw.CustomerUpdate(PhoneNumber="22334455"))
api.update(elw.CustomerUpdate(Email="kari@example.com"))
api.update(elw.CustomerUpdate(PhoneNumber=None))
assert api.get().PhoneNumber == "22334455"
api.update(elw.CustomerUpdate(PhoneNumber=""))
assert api.get().PhoneNumber is None

api = Api(f"/public/v1/customer/{env['LOCHTING']}", lochting.Customer, headers={"Authorization": env["KEY"]})
customer = api.get()
assert customer.phoneNumber == "11223344"
same = {
    name: getattr(customer, name)
    for name in ("firstName", "lastName", "locale", "emailAddress", "gender", "country")
}
api.update(lochting.CustomerUpdate(**same, phoneNumber="22334455"))
api.update(lochting.CustomerUpdate(**same, city="Brugge"))
api.update(lochting.CustomerUpdate(**same, phoneNumber=None))
assert api.get().phoneNumber is None
