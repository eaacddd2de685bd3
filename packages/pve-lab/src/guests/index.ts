export { guestRoutes } from "./routes.ts";
export { guestExists, guestOverview, listGuests, type GuestOverview } from "./overview.ts";
