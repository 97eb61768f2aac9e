/* SPDX-License-Identifier: MPL-2.0 */

/* An identity that the Go relay made: a vector for tests. */
#ifndef GO_IDENTITY_H
#define GO_IDENTITY_H

/* A pair that strelaysrv 1.19 made, and the ID that it printed. */
static const char go_id[] =
	"NHRA2WQ-BDKZ7DJ-ZPTRURX-WEACWBE-YQCXWOE-BIIRWTV-L62VR5V-RKTOAAQ";
static const char go_cert[] =
	"-----BEGIN CERTIFICATE-----\n"
	"MIICIDCCAaagAwIBAgIJAL2mG0g6ES18MAoGCCqGSM49BAMCMEsxEjAQBgNVBAoT\n"
	"CVN5bmN0aGluZzEgMB4GA1UECxMXQXV0b21hdGljYWxseSBHZW5lcmF0ZWQxEzAR\n"
	"BgNVBAMTCnN0cmVsYXlzcnYwHhcNMjYxMTIyMDAwMDAwWhcNNDYxMTE3MDAwMDAw\n"
	"WjBLMRIwEAYDVQQKEwlTeW5jdGhpbmcxIDAeBgNVBAsTF0F1dG9tYXRpY2FsbHkg\n"
	"R2VuZXJhdGVkMRMwEQYDVQQDEwpzdHJlbGF5c3J2MHYwEAYHKoZIzj0CAQYFK4EE\n"
	"ACIDYgAEEc5Y8se9FTw4sP1o4ppFfdHkVhQWc0on5kcULpx1o28KBqBWTpbNRoKH\n"
	"YP+klDAJrUE2Q8UXQFEMqbBexobtkk16JBXZRZ2eJVUpAjR6xtbDxF5r/tg60SmE\n"
	"MCGn4o2Po1YwVDAOBgNVHQ8BAf8EBAMCBaAwHQYDVR0lBBYwFAYIKwYBBQUHAwEG\n"
	"CCsGAQUFBwMCMAwGA1UdEwEB/wQCMAAwFQYDVR0RBA4wDIIKc3RyZWxheXNydjAK\n"
	"BggqhkjOPQQDAgNoADBlAjA9g4gCt4r0BAQQvgtDnj6MpuaivPWd4N8qTZCkCutT\n"
	"E1PKYBewDkbInKQ1kvglyG4CMQDT1Jbs3+KAKANd3T6W1+4o558tquGZadVkmQnL\n"
	"mGjTV0i9LcJrF2sFIbxdwPcKWpc=\n"
	"-----END CERTIFICATE-----\n";
static const char go_key[] =
	"-----BEGIN EC PRIVATE KEY-----\n"
	"MIGkAgEBBDCjr3uZZ7yGvth+pMSQLKOvCEK8idqSDBL1li3Dy4nWL738ilj5k3AU\n"
	"j9EhNrokkmSgBwYFK4EEACKhZANiAAQRzljyx70VPDiw/WjimkV90eRWFBZzSifm\n"
	"RxQunHWjbwoGoFZOls1Ggodg/6SUMAmtQTZDxRdAUQypsF7Ghu2STXokFdlFnZ4l\n"
	"VSkCNHrG1sPEXmv+2DrRKYQwIafijY8=\n"
	"-----END EC PRIVATE KEY-----\n";

#endif
