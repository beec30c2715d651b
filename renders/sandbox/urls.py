"""The address that only the service of a sandbox has."""

from django.urls import path

from renders.sandbox.sign_in import sign_in

urlpatterns = [path("sign-in/<str:token>/", sign_in, name="sandbox_sign_in")]
